"""Errors that a user can act on, and the exit codes of the command line.

Every error says *what* happened (`message`), may say *why* (`why`), and names one command or
action that helps (`hint`). The command line prints the three lines; `--json` prints them as one
object. Only `pivot.cli` turns them into exit codes.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a `pivot` command reports to the shell. Unknown codes mean failure."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    STALE = 4
    NO_PROJECT = 10
    LOCKED = 11
    DENIED = 12
    INTEGRITY = 13
    MISSING = 14
    INTERRUPTED = 130


class PivotError(Exception):
    """Base of every error that Pivot raises on purpose.

    Attributes:
        message: what happened, as one sentence without a final period.
        why: the cause, where it is known.
        hint: one thing that helps, with commands in backticks.
        code: stable name of the error, printed by `--json`.
        exit_code: what the process reports.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.why is None else f"{self.message}: {self.why}"


class UsageError(PivotError):
    """The command, a name or a configuration value is not usable as given."""

    code = "usage"
    exit_code = ExitCode.USAGE


class DefinitionError(PivotError):
    """Stages are not defined as they must be: bad declarations, cycles, overlapping outs."""

    code = "definition"
    exit_code = ExitCode.USAGE


class NoProjectError(PivotError):
    """No Pivot project here, or no Git repository where one is needed."""

    code = "no_project"
    exit_code = ExitCode.NO_PROJECT


class LockedError(PivotError):
    """Another process holds what is needed (a stage, the store, Git's index)."""

    code = "locked"
    exit_code = ExitCode.LOCKED


class DeniedError(PivotError):
    """A remote, or the file system, refused access."""

    code = "denied"
    exit_code = ExitCode.DENIED


class IntegrityError(PivotError):
    """Bytes are not what their id says; nothing of them was made visible."""

    code = "integrity"
    exit_code = ExitCode.INTEGRITY


class MissingDataError(PivotError):
    """Data that is needed is neither here nor in a remote that was asked."""

    code = "missing"
    exit_code = ExitCode.MISSING


class EditedError(PivotError):
    """Data in the workspace that nothing else has would be overwritten."""

    code = "edited"


class PartialError(PivotError):
    """A transfer or import did a part of its work; running it again goes on from there."""

    code = "partial"
    exit_code = ExitCode.PARTIAL


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be; None if none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - for errors alone

    return next(iter(get_close_matches(name, list(known), n=1)), None)
