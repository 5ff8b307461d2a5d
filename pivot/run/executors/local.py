"""Jobs in processes of this machine, forked from a warm server."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Self

from pivot.hashing import Json
from pivot.paths import StageName
from pivot.run.capture import bounded
from pivot.run.interpreter import command
from pivot.run.job import Job
from pivot.run.outcome import Ending, Outcome
from pivot.run.wire import READ_SIZE, Inbox, encode

LOADER = "pivot.definition.loading:prepare_call"
EXIT_MARGIN_S = 2.0
COMPLAINT_LIMIT = 2000


class StartMethod(StrEnum):
    """How stages' processes come about.

    `auto` forks them from the server if a trial there succeeds, and spawns them elsewhere (always
    on macOS, whose system libraries don't survive a fork). `spawn` starts an interpreter for each.
    """

    AUTO = "auto"
    SPAWN = "spawn"


@dataclass(slots=True)
class _Server:
    """A running server: its process, our end of the socket, and what it prints."""

    process: "subprocess.Popen[bytes]"
    control: socket.socket
    printed: IO[bytes]


class LocalExecutor:
    """An `Executor` whose server is started with the first job.

    Args:
        preload: top-level modules that the project's stages import; those that are known to
            survive it are loaded once, in the server.
        python: the interpreter that stages run in.
        grace_s: seconds that a cancelled stage has between SIGTERM and SIGKILL.
        loader: where the function is that finds a job's stage (`pivot.run.child.Loader`).
    """

    def __init__(
        self,
        *,
        preload: Sequence[str] = (),
        python: str = sys.executable,
        method: StartMethod = StartMethod.AUTO,
        grace_s: float = 5.0,
        loader: str = LOADER,
    ) -> None:
        self._preload = tuple(preload)
        self._python = python
        self._fork = method is StartMethod.AUTO and sys.platform != "darwin"
        self._grace_s = grace_s
        self._loader = loader
        self._server: _Server | None = None
        self._inbox = Inbox()
        self._running: dict[StageName, int | None] = {}
        self._ended: list[Outcome] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the server unless it runs; it loads libraries while the caller goes on.

        Raises `OSError` if the interpreter can't be started.
        """
        if self._server is not None:
            return
        ours, theirs = socket.socketpair()
        printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        try:
            with theirs:
                process = subprocess.Popen(
                    self._command(theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    pass_fds=(theirs.fileno(),),
                    # Ctrl-C in the terminal is for us alone; we decide what it means.
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            printed.close()
            raise
        self._inbox = Inbox()
        self._server = _Server(process, ours, printed)

    def read_ahead(self, sources: Sequence[str]) -> None:
        """Have the server read the bytecode of sources (absolute paths) that all stages import."""
        self._send({"read": list(sources)})

    def submit(self, job: Job) -> None:
        """Start `job` now. Raises `ValueError` while a job of the same stage runs."""
        if job.stage in self._running:
            raise ValueError(f"{job.stage} is already running")
        order: dict[str, Json] = {"run": job.to_json()}
        if not self._send(order):
            self._bury()
            if not self._send(order):
                self._ended.append(Outcome(job.stage, Ending.DIED, *self._bury()))
                return
        self._running[job.stage] = None

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Block until at least one job has ended, at most `timeout` seconds.

        Returns each submitted job's outcome exactly once; an empty list if the time ran out or
        nothing runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._running and not self._ended:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._receive(left):
                break
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, *stages: StageName) -> None:
        """End these jobs. Their outcomes still come through `wait`; others are ignored."""
        wanted: list[Json] = [stage for stage in stages if stage in self._running]
        if wanted and not self._send({"cancel": wanted}):
            self._bury()

    def cancel_all(self) -> None:
        """End all jobs."""
        self.cancel(*self._running)

    def close(self) -> None:
        """End all jobs and the server; outcomes not yet waited for are lost."""
        if self._server is not None:
            self._server.control.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.process.wait(self._grace_s + EXIT_MARGIN_S)
            self._bury()
        self._ended.clear()

    def _command(self, control: int) -> list[str]:
        settings = {
            "control": control,
            "loader": self._loader,
            "preload": self._preload,
            "fork": self._fork,
            "grace_s": self._grace_s,
        }
        return command(self._python, "pivot.run.server", json.dumps(settings))

    def _send(self, message: dict[str, Json]) -> bool:
        """Whether `message` could be handed to a server, which is started if there is none."""
        self.start()
        if self._server is None:
            return False
        try:
            self._server.control.sendall(encode(message))
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _receive(self, timeout: float | None) -> bool:
        """Take messages, waiting at most `timeout` seconds; False if none came in time."""
        if self._server is None:
            return False
        control = self._server.control
        poll = select.poll()  # unlike select, without a limit on the descriptor's number
        poll.register(control, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            return False
        try:
            piece = control.recv(READ_SIZE)
        except ConnectionResetError:
            piece = b""
        if not piece:
            self._bury()
        for message in self._inbox.feed(piece):
            self._note(message)
        return True

    def _note(self, message: dict[str, Json]) -> None:
        match message:
            case {"started": str(name), "pid": int(pid)}:
                self._running[StageName(name)] = pid
            case {"ended": dict(fields)}:
                outcome = Outcome.from_json(fields)
                self._running.pop(outcome.stage, None)
                self._ended.append(outcome)

    def _bury(self) -> tuple[str, str | None]:
        """End a server that no longer answers, with every job that it ran; says what happened."""
        server, self._server = self._server, None
        if server is None:
            return "no process could be started", None
        with server.control, server.printed, server.process:
            server.process.kill()
            server.process.wait()
            server.printed.seek(0)
            complaint = server.printed.read().decode(errors="replace").strip()
        for pid in self._running.values():
            # A server that exited in order has ended its stages, and their numbers may be others'.
            if pid is not None and server.process.returncode != 0:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        died = "the process that starts stages died"
        said = bounded(complaint, COMPLAINT_LIMIT) or None
        message = died if said is None else f"{died}: {said}"
        hint = "Run it again; if memory ran out, run fewer stages at once: `pivot repro --jobs 1`"
        self._ended += [Outcome(name, Ending.DIED, message, hint) for name in self._running]
        self._running.clear()
        return message, hint
