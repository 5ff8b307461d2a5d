"""A disk that fails at the n-th call that changes it, or kills the process there."""

import builtins
import contextlib
import errno
import io
import os
import signal

import pytest


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


@contextlib.contextmanager
def failing_disk(fatal=None, error=errno.ENOSPC):
    """The changing call number `fatal` fails, and all are counted.

    It fails with `error`; where that is None the process dies at once, as by a power failure but
    for what the kernel keeps.
    """
    real = {name: getattr(os, name) for name in (*_WATCHED, "open")}
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

    with pytest.MonkeyPatch.context() as patch:
        for name in _WATCHED:
            patch.setattr(os, name, watched(name))
        patch.setattr(os, "open", open_watched)
        for module in _WRITERS:
            patch.setattr(f"{module}.open", opened, raising=False)
        patch.setattr("pivot.store.pack.FileIO", Raw)
        yield found
