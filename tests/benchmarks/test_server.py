"""The S3 server of a benchmark: found by the environment alone, and gone after its block."""

import http.client
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest

from benchmarks.scale import TINY
from benchmarks.server import BUCKET, served
from benchmarks.workbench import CommandError, opened

CHECKOUT = Path(__file__).parents[2]
SERVING = """
import sys
from pathlib import Path

from benchmarks.scale import TINY
from benchmarks.server import served
from benchmarks.workbench import Workbench

bench = Workbench(Path(sys.argv[1]), TINY, {}, sys.executable, "pivot", None, None)
with served(bench) as service:
    print(service.bench.environment["AWS_ENDPOINT_URL"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def bench():
    with opened(TINY, peer=False) as bench:
        yield bench


def connect(service):
    endpoint = urllib.parse.urlsplit(service.bench.environment["AWS_ENDPOINT_URL"])
    return http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=20)


def test_a_bucket_is_ready_and_nothing_counted(bench):
    with served(bench) as service:
        assert service.counts().requests == 0
        connection = connect(service)
        connection.request("PUT", f"/{BUCKET}/a", b"data")
        assert connection.getresponse().status == 200
        connection.close()
        counts = service.counts()
        assert (counts.requests, counts.received) == (1, 4)


def test_a_folder_is_served_as_it_is(bench):
    folder = bench.folder / "objects"
    (folder / BUCKET).mkdir(parents=True)
    (folder / BUCKET / "a").write_bytes(b"0123456789")
    with served(bench, str(folder)) as service:
        connection = connect(service)
        connection.request("GET", f"/{BUCKET}/a", headers={"Range": "bytes=2-5"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (206, b"2345")
        connection.close()


def test_the_server_ends_with_the_block(bench):
    with served(bench) as service:
        connection = connect(service)
        connection.connect()
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        connect(service).connect()


def test_the_server_ends_when_its_benchmark_is_killed(bench):
    """Of a killed process nothing is cleaned up; what it started must see that by itself."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(bench.folder)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        port = urllib.parse.urlsplit(killed.stdout.readline().strip()).port
        (sock,) = bench.folder.glob("*/s3.sock")
        killed.kill()
    assert gone(socket.AF_INET, ("127.0.0.1", port))
    assert gone(socket.AF_UNIX, str(sock))


def gone(family, address):
    """Whether nobody listens there any more, at the latest in twenty seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket(family) as probe:
            if probe.connect_ex(address) != 0:
                return True
        time.sleep(0.02)
    return False


def test_a_server_that_can_not_start_is_an_error_with_its_output(bench):
    (bench.folder / "rclone").write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    (bench.folder / "rclone").chmod(0o755)
    with pytest.raises(CommandError, match="no such thing"), served(bench):
        pass
