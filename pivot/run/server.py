"""The process from which stages are forked, with the libraries that they use loaded.

Run as `python -m pivot.run.server SETTINGS` by an executor, with one end of a socket pair. It never
imports a project's module, but reads their bytecode, so that not each stage has to. When the other
end closes, however that came about, it ends every stage and exits.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pivot.definition.importing import Bytecode, read_ahead
from pivot.hashing import Json
from pivot.paths import StageName
from pivot.run.canary import forking_works
from pivot.run.job import Job
from pivot.run.outcome import Ending, Outcome
from pivot.run.preload import installed_only, overlays, preload, top_level_names
from pivot.run.process import StageProcess, forked, spawned
from pivot.run.wire import READ_SIZE, Inbox, encode

LEFTOVER_GRACE_S = 0.5  # for what a stage left running: enough to remove its shared memory
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with.

    Attributes:
        control: the descriptor of its end of the socket pair.
        loader: where the stage loader is, `package.module:name`.
        preload: distributions that the project uses.
        fork: whether to try forking; else every stage gets a fresh interpreter.
        grace_s: seconds between SIGTERM and SIGKILL for a cancelled stage.
    """

    control: int
    loader: str
    preload: tuple[str, ...]
    fork: bool
    grace_s: float


@dataclass(frozen=True, slots=True)
class Warmth:
    """What is ready for stages to be forked.

    Attributes:
        forks: whether forking was tried and works.
        loaded: top-level modules that a forked stage finds loaded.
        unused: entries of `sys.path` that were out of use while those were loaded.
    """

    forks: bool
    loaded: frozenset[str] = frozenset()
    unused: tuple[str, ...] = ()

    def suits(self, job: Job) -> bool:
        """Whether a fork sees the modules that a fresh interpreter would see."""
        return self.forks and not any(
            overlays(folder, self.loaded) for folder in (*job.roots, *self.unused)
        )


def warm_up(settings: Settings) -> Warmth:
    """Load what stages will need, and find out whether they can be forked."""
    if not settings.fork:
        return Warmth(forks=False)
    with installed_only() as unused:
        preload(settings.preload)
        module = settings.loader.partition(":")[0]
        if find_spec(module) is not None:
            import_module(module)
    # Collections in the children then leave these objects, and so their shared pages, alone.
    gc.collect()
    gc.freeze()
    return Warmth(forks=forking_works(), loaded=top_level_names(), unused=unused)


class Server:
    """One thread that waits for orders, reports and ends of processes at once."""

    def __init__(self, settings: Settings, warmth: Warmth) -> None:
        self._settings = settings
        self._warmth = warmth
        self._control = socket.socket(fileno=settings.control)
        self._control.settimeout(0)
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._inbox = Inbox()
        self._outbox = bytearray()
        self._processes: dict[StageName, StageProcess] = {}
        self._ahead: dict[str, Bytecode] = {}
        self._closing = False

    def serve(self) -> None:
        """Work until the other end has closed and no stage is left."""
        self._watch_signals()
        self._watch(self._control.fileno(), self._receive)
        while self._processes or not self._closing:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._end_overdue()
            self._flush()

    def _watch_signals(self) -> None:
        for end in (self._woken, self._waker):
            end.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing wakes us
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._watch(self._woken.fileno(), self._reap)

    def _watch(self, fd: int, act: Callable[[], None]) -> None:
        self._selector.register(fd, selectors.EVENT_READ, act)

    def _patience(self) -> float | None:
        """Seconds to wait for an event; None for as long as it takes."""
        if any(process.status is not None for process in self._processes.values()):
            return POLL_S  # what is left of a group ends without telling us
        deadlines = [p.kill_at for p in self._processes.values() if p.kill_at is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _receive(self) -> None:
        try:
            piece = self._control.recv(READ_SIZE)
        except BlockingIOError:
            self._flush()  # the socket is watched for writing too
            return
        except ConnectionResetError:
            piece = b""
        if not piece:
            self._close()
            return
        for message in self._inbox.feed(piece):
            self._obey(message)

    def _obey(self, message: dict[str, Any]) -> None:
        match message:
            case {"run": job}:
                self._start(Job.from_json(job))
            case {"read": sources}:
                self._ahead |= read_ahead(sources)
            case {"cancel": stages}:
                for name in stages:
                    self._cancel(StageName(name))

    def _close(self) -> None:
        self._closing = True
        self._outbox.clear()
        self._selector.unregister(self._control.fileno())
        for name in self._processes:
            self._cancel(name)

    def _cancel(self, name: StageName) -> None:
        process = self._processes.get(name)
        if process is not None and process.status is None and not process.cancelled:
            process.cancel(self._settings.grace_s)

    def _start(self, job: Job) -> None:
        try:
            if self._warmth.suits(job):
                process = forked(job, self._settings.loader, self._ahead, self._let_go)
            else:
                process = spawned(job, self._settings.loader)
        except OSError as error:
            message = f"its process could not be started: {error}"
            hint = "Run fewer stages at once: `pivot repro --jobs 1`"
            self._report(Outcome(job.stage, Ending.DIED, message, hint))
            return
        self._processes[job.stage] = process
        self._watch(process.result_fd, lambda: self._read(process))
        self._send({"started": job.stage, "pid": process.pid})

    def _let_go(self) -> None:
        """Close the server's descriptors in a forked child.

        The objects are closed, not only their descriptors: one that was collected later would
        close whatever the stage had opened under its number.
        """
        for process in self._processes.values():
            os.close(process.result_fd)
        self._selector.close()
        for end in (self._control, self._woken, self._waker):
            end.close()

    def _read(self, process: StageProcess) -> None:
        if not process.read():
            self._selector.unregister(process.result_fd)

    def _reap(self) -> None:
        self._woken.recv(READ_SIZE)
        for process in self._processes.values():
            if process.status is None:
                process.reap(LEFTOVER_GRACE_S)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for process in list(self._processes.values()):
            if process.kill_at is not None and process.kill_at <= now:
                process.signal(signal.SIGKILL)
                process.kill_at = None
                if process.status is not None:
                    self._finish(process)
            elif process.is_gone():
                self._finish(process)

    def _finish(self, process: StageProcess) -> None:
        del self._processes[process.job.stage]
        if process.result_fd in self._selector.get_map():
            self._selector.unregister(process.result_fd)
        os.close(process.result_fd)
        self._report(process.outcome())

    def _report(self, outcome: Outcome) -> None:
        self._send({"ended": outcome.to_json()})

    def _send(self, message: dict[str, Json]) -> None:
        if not self._closing:
            self._outbox += encode(message)

    def _flush(self) -> None:
        """Send what the socket takes. Never block: the other end may be sending to us."""
        if self._closing:
            return
        try:
            while self._outbox:
                del self._outbox[: self._control.send(self._outbox)]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self._close()
            return
        writing = selectors.EVENT_WRITE if self._outbox else 0
        events = selectors.EVENT_READ | writing
        self._selector.modify(self._control.fileno(), events, self._receive)


def _main() -> None:
    fields = json.loads(sys.argv[1])
    settings = Settings(**{**fields, "preload": tuple(fields["preload"])})
    os.set_inheritable(settings.control, False)  # noqa: FBT003 - positional only
    Server(settings, warm_up(settings)).serve()


if __name__ == "__main__":
    _main()
