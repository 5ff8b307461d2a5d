"""A forked process that does one piece of work beside this one, and hands back bytes.

Threads don't help where the work is very many short calls: they take turns. A forked process
shares what is open and in memory, and needs no word of what it is to do.
"""

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import Self

MOST = 4
_READ = 1 << 16


def useful() -> int:
    """How many processes beside this one can be of use here; none where forking isn't safe.

    As many as there are processors: this one has to prepare the others' work, too.

    A process with threads may hold a lock that a forked one would wait for; and macOS has
    libraries that don't survive a fork.
    """
    processors = os.process_cpu_count() or 1
    if sys.platform != "linux" or threading.active_count() > 1 or processors < 2:
        return 0
    return min(MOST, processors)


class Forked:
    """One piece of work in a process of its own."""

    def __init__(self, pid: int, pipe: int) -> None:
        self._pid = pid
        self._pipe: int | None = pipe
        self._is_over = False

    @classmethod
    def start(cls, work: Callable[[], bytes]) -> Self | None:
        """Begin `work`; what it returns is the result, and an error is none.

        None where the system has no process left.
        """
        readable, writable = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(readable)
            os.close(writable)
            return None
        if pid == 0:
            code = 1
            try:
                os.close(readable)
                _write_all(writable, work())
                code = 0
            finally:
                os._exit(code)  # no clean-up of the parent's, and no word of its own
        os.close(writable)
        return cls(pid, readable)

    @property
    def is_done(self) -> bool:
        """Whether `result` would return at once, or nearly so."""
        return self._pipe is None or bool(select.select([self._pipe], [], [], 0)[0])

    def result(self) -> bytes | None:
        """Wait for what the work returned; None if it failed, whatever the reason. Ask once."""
        parts = []
        while self._pipe is not None and (part := os.read(self._pipe, _READ)):
            parts.append(part)
        return b"".join(parts) if self._end() == 0 else None

    def kill(self) -> None:
        """End it where it stands, if it didn't end yet; also after an interrupted `result`."""
        if not self._is_over:
            # An interrupt right after the wait leaves none: its number is nobody's then.
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._pid, signal.SIGKILL)
                self._end()

    def _end(self) -> int:
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            os.close(pipe)
        status = os.waitpid(self._pid, 0)[1]
        self._is_over = True
        return status


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
