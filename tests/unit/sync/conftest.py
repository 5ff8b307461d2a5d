"""Stores with contents, and remotes that record, fail and lie."""

import io
import threading

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pivot.paths import TreePath
from pivot.store.content import Content, ContentType
from pivot.store.split import TREE
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.memory import open_memory
from pivot_remotes.tracing import Trace, Tracing


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
            with self.lock:
                self.calls.append((name, key))
                self.before(name, key)
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
    def put(store, data):
        with store.writer() as writer:
            added = writer.add_stream(io.BytesIO(data))
        return Content(ContentType.FILE, added.id, added.size, added.recipe)

    return put


@pytest.fixture
def put_tree():
    """Store a directory of `{path: bytes}`, as its members come and then its listing."""

    def put(store, files):
        with store.writer() as writer:
            lines = []
            for path, data in sorted(files.items(), key=lambda item: item[0].encode()):
                added = writer.add_stream(io.BytesIO(data))
                content = Content(ContentType.FILE, added.id, added.size, added.recipe)
                lines.append(encode_line(TreeEntry(TreePath(path), content)))
            listing = writer.add_stream(io.BytesIO(b"".join(lines)), TREE)
        size = sum(map(len, files.values()))
        return Content(ContentType.DIRECTORY, listing.id, size, listing.recipe, len(files))

    return put


@pytest.fixture
def files_of():
    """The files of a directory, read back through the store."""

    def read(store, content):
        return {
            str(entry.path): b"".join(store.stream(entry.content)) for entry in store.tree(content)
        }

    return read
