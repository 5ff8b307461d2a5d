"""Stores with contents, and remotes that record, fail and lie."""

import http.client
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pivot.store.store import Store
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.memory import open_memory
from pivot_remotes.tracing import Trace, Tracing
from tests.unit import team


class Watched:
    """A backend that notes every call before it is made, and that `before` may stop."""

    def __init__(self, inner):
        self.inner = inner
        self.calls = []
        self.before = lambda verb, key: None
        self.lock = threading.Lock()

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(key, *rest):
            if not isinstance(key, str):  # keys to delete, which may come once only
                key = tuple(key)
            with self.lock:
                self.calls.append((name, key if isinstance(key, str) else key[0]))
                self.before(*self.calls[-1])
            return found(key, *rest)

        return call


@pytest.fixture
def make_store(tmp_path):
    """Open the store of a name; each call opens it afresh."""
    return lambda name="here": Store.open(str(tmp_path / name))


@pytest.fixture
def backend(tmp_path):
    """The storage of the remote: a directory that records."""
    return Watched(DirectoryBackend(str(tmp_path / "remote")))


@pytest.fixture
def make_remote(tmp_path, backend):
    """A client of the remote; the same name has the same copies of indexes."""

    def make(client="me", inner=None):
        trace = Trace()
        cache = str(tmp_path / f"cache-{client}")
        return RemoteStore(Tracing(inner or backend, trace), cache, trace)

    return make


@pytest.fixture
def memory():
    """Storage in memory, empty."""
    files = MemoryFileSystem()
    if files.exists("/sync"):
        files.rm("/sync", recursive=True)
    return open_memory("memory://sync")


@pytest.fixture
def put_file():
    return team.put_file


@pytest.fixture
def put_tree():
    return team.put_tree


@pytest.fixture
def files_of():
    return team.files_of


SERVER = (
    "from moto.server import ThreadedMotoServer as S; import sys;"
    "s = S('127.0.0.1', 0); s.start(); print('port', s.get_host_and_port()[1], flush=True);"
    "sys.stdin.read()"
)
REQUEST = re.compile(r'"([A-Z]+ /data[^ ]*) HTTP/1\.1" \d+ -$', re.MULTILINE)


@dataclass(frozen=True)
class Bucket:
    """A bucket on loopback, and what its server wrote down."""

    url: str
    log: Path

    def requests(self):
        """Each request so far, as `VERB /path?query`, in the order of the answers."""
        return REQUEST.findall(self.log.read_text())


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """An empty bucket of an S3 server that writes each request down."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    log = tmp_path / "server.log"
    with open(log, "w") as errors:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
    with server:
        try:
            port = next(line.split()[1] for line in server.stdout if line.startswith("port "))
            connection = http.client.HTTPConnection(f"127.0.0.1:{port}")
            connection.request("PUT", "/data")
            assert connection.getresponse().status == 200
            connection.close()
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            yield Bucket("s3://data/team", log)
        finally:
            server.kill()
