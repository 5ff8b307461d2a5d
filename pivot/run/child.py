"""A stage's own process: from the job to the report.

Run as `python -m pivot.run.child RESULT_FD LOADER` with the job on its input, or forked by the
server. One of the program's two boundaries that catch everything: whatever a stage raises is
reported, and what ends the process without a report is seen by the server.
"""

import contextlib
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import NoReturn, Protocol

from pivot.definition.importing import Bytecode
from pivot.definition.ownership import ownership
from pivot.hashing import Json
from pivot.paths import StageName
from pivot.run import capture, settle
from pivot.run.failure import describe
from pivot.run.job import Job
from pivot.run.observing import Observer
from pivot.run.outcome import Ending, Report

EXIT_SILENT = 70  # EX_SOFTWARE of sysexits.h: the process could not even report


class Loader(Protocol):
    """Turns a job's reference to a stage into something to call, by importing the user's code.

    Raises `PivotError` where the stage is gone, or its function isn't `symbol` or its parameters
    aren't `expected_params`.
    """

    def __call__(
        self,
        *,
        project: str,
        source: str,
        stage: StageName,
        symbol: str,
        roots: tuple[str, ...],
        expected_params: Mapping[str, Json] | None,
        ahead: Mapping[str, Bytecode] | None,
    ) -> Callable[[], object]: ...


def run(
    job: Job,
    result_fd: int,
    loader: str,
    *,
    ahead: Mapping[str, Bytecode] | None = None,
    detach: Callable[[], None] | None = None,
) -> NoReturn:
    """Do `job` in this process, write the report to `result_fd`, and exit.

    Args:
        loader: where the `Loader` is, `package.module:name`.
        ahead: bytecode of the project's modules that was read already, by their sources.
        detach: lets go of what a forked process has from its parent.
    """
    own_pid = os.getpid()
    try:
        report = _perform(job, loader, ahead, detach)
        settle.flush_streams()
        if report.ending is Ending.RAISED:
            _complain(report)
        if os.getpid() != own_pid:
            # The stage forked, and this is its child, which came back from the stage's function.
            os._exit(0 if report.ending is Ending.RETURNED else 1)
        _send(result_fd, report.to_line())
        os._exit(0)
    finally:
        os._exit(EXIT_SILENT)


def _perform(
    job: Job,
    loader: str,
    ahead: Mapping[str, Bytecode] | None,
    detach: Callable[[], None] | None,
) -> Report:
    try:
        if detach is not None:
            detach()
        _enter(job)
        observer = Observer(job.project, ownership(), job.declared)
        module, _, name = loader.partition(":")
        load: Loader = getattr(import_module(module), name)
        call = load(
            project=job.project,
            source=job.source,
            stage=job.stage,
            symbol=job.symbol,
            roots=job.roots,
            expected_params=job.params,
            ahead=ahead,
        )
        # Not before: to load the stage's file imports what other stages need, too.
        observer.start()
        call()
        observation = observer.stop()
        settle.flush_files()
    except BaseException as error:  # noqa: BLE001 - the boundary: a stage may raise anything
        return describe(error)
    return Report(Ending.RETURNED, observation=observation)


def _enter(job: Job) -> None:
    """Make this process look like a fresh interpreter that was started for the stage."""
    capture.redirect(job.log)
    faulthandler.enable(2)
    os.chdir(os.path.join(job.project, job.cwd))
    sys.path[0:0] = job.roots
    sys.argv = [job.symbol]
    # Worker processes that the stage starts import `__main__`: that must not be Pivot's server.
    sys.modules["__main__"] = ModuleType("__main__")
    # `random` seeds itself anew in a forked child, numpy doesn't: all stages would draw alike.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def reset_signals() -> None:
    """Undo what a server did to its signals, in a process that was forked from it."""
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _complain(report: Report) -> None:
    """Put the failure at the end of the log, where the stage's output led up to it."""
    text = report.traceback or f"{report.message}\n"
    with contextlib.suppress(OSError):
        os.write(2, text.encode(errors="backslashreplace"))


def _send(fd: int, line: bytes) -> None:
    while line:
        line = line[os.write(fd, line) :]


def _main() -> NoReturn:
    result_fd, loader = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(result_fd, False)  # noqa: FBT003 - positional only
    run(Job.from_json(json.load(sys.stdin)), result_fd, loader)


if __name__ == "__main__":
    _main()
