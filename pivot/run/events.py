"""What happens during a run, as plain data: printed, or written as JSON lines."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pivot.errors import PivotError
from pivot.explain import Reason
from pivot.hashing import Json
from pivot.paths import StageName
from pivot.run.use import Use


class Status(StrEnum):
    """How a selected stage ended; exactly one for each. No run ends with `recorded`."""

    RAN = "ran"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    RECORDED = "recorded"
    FAILED = "failed"
    BLOCKED = "blocked"
    NOT_STARTED = "not_started"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunStarted:
    run_id: str
    stages: tuple[StageName, ...]

    def to_json(self) -> dict[str, Json]:
        return {"type": "run_started", "run_id": self.run_id, "stages": list(self.stages)}


@dataclass(frozen=True, slots=True)
class StageWaiting:
    """A stage can't start yet because another process holds it, or a mutex group of it."""

    stage: StageName
    holder: str

    def to_json(self) -> dict[str, Json]:
        return {"type": "stage_waiting", "stage": self.stage, "holder": self.holder}


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: StageName

    def to_json(self) -> dict[str, Json]:
        return {"type": "stage_started", "stage": self.stage}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed, for people: `log` is the file that holds its output, if it ran."""

    message: str
    why: str | None = None
    hint: str | None = None
    traceback: str | None = None
    log: str | None = None

    @classmethod
    def of(cls, error: PivotError | OSError) -> Self:
        """What an error outside of the stage's own code comes to."""
        if isinstance(error, PivotError):
            return cls(error.message, error.why, error.hint)
        return cls(
            f"{error.filename or 'a file'} can't be written or read",
            error.strerror,
            "Free space or mend the permissions, then run `pivot repro` again",
        )


@dataclass(frozen=True, slots=True)
class StageFinished:
    """The end of a stage: `failure` is printed apart, since the event's fields are fixed."""

    stage: StageName
    status: Status
    reasons: tuple[Reason, ...] = ()
    duration_s: float = 0.0
    failure: Failure | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "type": "stage_finished",
            "stage": self.stage,
            "status": self.status,
            "reasons": [reason.to_json() for reason in self.reasons],
            "duration_s": round(self.duration_s, 6),
        }


@dataclass(frozen=True, slots=True)
class StageUsed:
    """A stage that ran used undeclared files of the project, or wasn't seen as a whole.

    It ends after this. `messages` say so for people, each with what helps, where something does.
    """

    stage: StageName
    use: Use
    messages: tuple[tuple[str, str | None], ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "type": "undeclared",
            "stage": self.stage,
            "reads": list(self.use.reads),
            "listed": list(self.use.listed),
            "writes": list(self.use.writes),
            "unseen": list(self.use.unseen),
        }


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The end of a run: `rekeyed` locks were written anew for the scheme alone."""

    run_id: str
    counts: dict[Status, int]
    exit_code: int
    rekeyed: int = 0

    def to_json(self) -> dict[str, Json]:
        return {
            "type": "run_finished",
            "run_id": self.run_id,
            "counts": {str(status): n for status, n in self.counts.items()},
            "exit_code": self.exit_code,
            "rekeyed": self.rekeyed,
        }


type Event = RunStarted | StageWaiting | StageStarted | StageUsed | StageFinished | RunFinished
type Sink = Callable[[Event], None]
