"""A project on disk with its store and memory, and a disk that fails at the n-th call."""

import builtins
import contextlib
import errno
import io
import os
import signal

import pytest

from pivot.state import State
from pivot.store.store import Store
from pivot.workspace import Workspace


class Bench:
    """A project's folder, with what reads and stores what lies in it."""

    def __init__(self, root):
        self.root = root
        os.makedirs(root / ".pivot")
        self.state = State.open(str(root / ".pivot" / "state.db"))
        self.store = Store.open(str(root / ".pivot" / "cache"))
        self.workspace = Workspace(str(root), self.state)

    def write(self, files):
        """Make files by path: bytes, or None for an empty folder."""
        for name, data in files.items():
            path = self.root / name
            if data is None:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def look(self, name="."):
        """Everything below a folder, by path: bytes, None for empty folders, targets of links."""
        found = {}
        top = self.root / name
        for base, folders, files in os.walk(top):
            if ".pivot" in folders:
                folders.remove(".pivot")
            here = os.path.relpath(base, top)
            if not folders and not files and here != ".":
                found[here] = None
            for file in (*files, *(f for f in folders if os.path.islink(os.path.join(base, f)))):
                path = os.path.join(base, file)
                key = os.path.normpath(os.path.join(here, file))
                if os.path.islink(path):
                    found[key] = f"-> {os.readlink(path)}"
                    continue
                with open(path, "rb") as f:
                    found[key] = f.read()
        return found


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "project")
    yield made
    made.state.close()


class Faults:
    """Counts the calls that change the disk, and fails the one it is told to."""

    def __init__(self):
        self.calls = []
        self.fatal = None
        self.error = errno.ENOSPC

    def check(self, name):
        self.calls.append(name)
        if len(self.calls) - 1 == self.fatal:
            if self.error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(self.error, os.strerror(self.error), name)


_WATCHED = ("fsync", "rename", "replace", "mkdir", "fchmod", "link", "unlink", "write")
_WRITERS = ("pivot.files",)


def _is_there(path, *_args, dir_fd=None):
    try:
        os.stat(path, dir_fd=dir_fd)
    except OSError:
        return False
    return True


@pytest.fixture
def faults(monkeypatch):
    """A context in which the changing call number `fatal` fails, and all are counted.

    It fails with `error`; where that is None the process dies at once, as by a power failure but
    for what the kernel keeps.
    """
    real = {name: getattr(os, name) for name in (*_WATCHED, "open")}

    @contextlib.contextmanager
    def failing(fatal=None, error=errno.ENOSPC):
        found = Faults()
        found.fatal, found.error = fatal, error

        class Raw(io.FileIO):
            def write(self, data, /):
                found.check("write")
                return super().write(data)

        def opened(file, mode="r", buffering=-1, **options):
            if mode != "wb":
                return builtins.open(file, mode, buffering, **options)
            raw = Raw(file, "wb")
            return raw if buffering == 0 else io.BufferedWriter(raw)

        def watched(name):
            def call(*args, **options):
                if name != "mkdir" or not _is_there(*args, **options):
                    found.check(name)
                return real[name](*args, **options)

            return call

        def open_watched(path, flags, *args, **options):
            if flags & os.O_CREAT:
                found.check("create")
            return real["open"](path, flags, *args, **options)

        with monkeypatch.context() as patch:
            for name in _WATCHED:
                patch.setattr(os, name, watched(name))
            patch.setattr(os, "open", open_watched)
            for module in _WRITERS:
                patch.setattr(f"{module}.open", opened, raising=False)
            patch.setattr("pivot.store.pack.FileIO", Raw)
            yield found

    return failing
