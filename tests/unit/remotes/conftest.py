"""Servers and environments for backends; everything stays on loopback and in memory."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.unit.remotes.servers import nginx, programs, radosgw
from tests.unit.remotes.servers import sshd as sshd_server
from tests.unit.remotes.servers.fixtures import (  # noqa: F401 - fixtures of the tests below
    azurite,
    bucket,
    dav,
    gcs,
    moto,
    new_bucket,
    sshd,
    strict_bucket,
    strict_s3,
)

pytest.register_assert_rewrite("pivot_remotes.testing")


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """No AWS setting of this machine reaches the test, and none is fetched from the network."""
    for name in [n for n in os.environ if n.startswith("AWS_") or n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    return monkeypatch


class Answer(BaseHTTPRequestHandler):
    """Answers every request as the server's `answer(request)` says: status, headers, body."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer; two would wait 40 ms for each other

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(copy.copy(self))  # one serves all requests of a connection
        status, headers, body = self.server.answer(self)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if int(headers.get("Content-Length", len(body))) > len(body):
            self.close_connection = True

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server
    do_PROPFIND = do_MKCOL = do_MOVE = do_GET  # noqa: N815

    def log_message(self, *args):
        pass


class FaultyServer(ThreadingHTTPServer):
    """An S3 endpoint that answers what a test tells it to, and remembers the requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen = []
        self.answer = lambda request: (500, {}, b"")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def always(self, status, body=b"", **headers):
        self.answer = lambda request: (status, headers, body)


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def azure(monkeypatch, tmp_path):
    """No setting of this machine for Azure reaches the test."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
def google(monkeypatch, tmp_path):
    """No setting of this machine for Google reaches the test, and no metadata is asked for."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "CLOUDSDK_", "GCSFS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setattr("google.auth.compute_engine._metadata._NO_GCE_CHECK", True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    return monkeypatch


@pytest.fixture
def ssh(monkeypatch, tmp_path):
    """Makes an `ssh` that reads only the given configuration; one that is empty is made first."""

    def configure(configuration=""):
        sshd_server.write_client(tmp_path / "bin", configuration)

    configure("UserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return configure


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """The URL of a web server, and the folder that it serves."""
    with nginx.serving(tmp_path_factory.mktemp("nginx")) as place:
        yield place


@pytest.fixture(scope="session")
def ceph(tmp_path_factory) -> Iterator[str]:
    """The endpoint of Ceph's S3 server, with a bucket. It takes long to start: all share one."""

    @contextmanager
    def start():
        with radosgw.serving(tmp_path_factory.mktemp("ceph")) as endpoint:
            new_bucket(endpoint, radosgw.KEY_ID, radosgw.SECRET, radosgw.BUCKET)
            yield endpoint

    # With several workers each has a folder of its own in the one of this run.
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with programs.shared(common / "ceph-server", start) as endpoint:
        yield endpoint
