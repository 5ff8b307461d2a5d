"""The process of one job, as the server sees it: starting, ending and reaping it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pivot.definition.importing import Bytecode
from pivot.run import child
from pivot.run.canary import fork
from pivot.run.interpreter import command
from pivot.run.job import Job
from pivot.run.outcome import Outcome, Report

READ_SIZE = 1 << 16


@dataclass(slots=True)
class StageProcess:
    """A running job. Its process leads a session and group of its own, of the same number.

    Signals go to the whole group. What left it on purpose, by opening another session as daemons
    do, is out of reach.

    Attributes:
        result_fd: where the report arrives; not blocking.
        kill_at: when (monotonic seconds) the group is killed if something of it still lives.
        status: the leader's wait status, once it was reaped.
        spawned: kept so that `subprocess` doesn't reap the process itself.
    """

    job: Job
    pid: int
    result_fd: int
    spawned: "subprocess.Popen[bytes] | None" = None
    started: float = field(default_factory=time.monotonic)
    received: bytes = b""
    cancelled: bool = False
    kill_at: float | None = None
    status: int | None = None
    duration_s: float = 0.0

    def read(self) -> bool:
        """Take what has arrived of the report; False once nothing more can come."""
        try:
            while piece := os.read(self.result_fd, READ_SIZE):
                self.received += piece
        except BlockingIOError:
            return True
        return False

    def cancel(self, grace_s: float) -> None:
        """Ask the group to end, and set the time at which it is made to."""
        self.cancelled = True
        self.kill_at = time.monotonic() + grace_s
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the group."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            # Nothing is left; or, right after the start, the process leads no group yet.
            if self.status is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)
        except PermissionError:
            pass  # macOS, of a group in which only the dead are left

    def reap(self, grace_s: float) -> bool:
        """Whether the leader has exited; if so, end what it left behind.

        The rest of the group gets SIGTERM first: resource trackers (multiprocessing, joblib) stay
        for a moment after it, to remove the shared memory of those that went.
        """
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.read()
        # While the dead leader isn't reaped, no other process can have its number.
        self.signal(signal.SIGTERM)
        _, self.status = os.waitpid(self.pid, 0)
        if self.spawned is not None:
            self.spawned.returncode = os.waitstatus_to_exitcode(self.status)
        ended = time.monotonic()
        self.duration_s = ended - self.started
        self.kill_at = ended + grace_s
        return True

    def is_gone(self) -> bool:
        """Whether the leader was reaped and nothing else of its group lives."""
        if self.status is None:
            return False
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    def outcome(self) -> Outcome:
        """How the job ended; call it when the leader was reaped."""
        if self.status is None:
            raise ValueError(f"{self.job.stage} is still running")
        return Outcome.of_exit(
            self.job.stage,
            report=Report.from_line(self.received),
            status=self.status,
            cancelled=self.cancelled,
            duration_s=self.duration_s,
        )


def forked(
    job: Job, loader: str, ahead: Mapping[str, Bytecode], let_go: Callable[[], None]
) -> StageProcess:
    """Start `job` as a fork of this process; `let_go` closes in it what is the server's.

    `ahead` is bytecode that the job needn't read, see `child.run`.

    Raises `OSError` where the system has no room for another process.
    """
    result, report_to = os.pipe()
    try:
        pid = fork()
    except OSError:
        os.close(result)
        os.close(report_to)
        raise
    if pid == 0:

        def detach() -> None:
            os.setsid()
            child.reset_signals()
            os.close(result)
            let_go()

        child.run(job, report_to, loader, ahead=ahead, detach=detach)
    os.close(report_to)
    os.set_blocking(result, False)
    return StageProcess(job, pid, result)


def spawned(job: Job, loader: str) -> StageProcess:
    """Start `job` in a fresh interpreter. Raises `OSError` where that can't be started."""
    result, report_to = os.pipe()
    arguments = command(sys.executable, "pivot.run.child", str(report_to), loader)
    try:
        with tempfile.TemporaryFile() as given:  # a pipe would block us until the child reads it
            given.write(json.dumps(job.to_json()).encode())
            given.seek(0)
            process = subprocess.Popen(
                arguments, stdin=given, pass_fds=(report_to,), start_new_session=True
            )
    except OSError:
        os.close(result)
        raise
    finally:
        os.close(report_to)
    os.set_blocking(result, False)
    return StageProcess(job, process.pid, result, spawned=process)
