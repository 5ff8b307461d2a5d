"""How a job ended: plain data, whichever executor ran it."""

import json
import signal as signal_
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pivot.hashing import Json
from pivot.paths import StageName
from pivot.run.observation import Observation


class Ending(StrEnum):
    """The four ways in which a stage's process ends.

    `returned` is the only success. `raised`: an exception, `sys.exit` of any code, or a stage
    that could not be loaded. `died`: the process ended before the function did. `cancelled`:
    Pivot ended it.
    """

    RETURNED = "returned"
    RAISED = "raised"
    DIED = "died"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Report:
    """What a stage's process says about itself before it exits."""

    ending: Ending
    message: str | None = None
    hint: str | None = None
    traceback: str | None = None
    observation: Observation | None = None

    def to_line(self) -> bytes:
        """One line of JSON; it is complete if and only if it ends in a newline."""
        fields = {
            "ending": self.ending,
            "message": self.message,
            "hint": self.hint,
            "traceback": self.traceback,
            "observation": _observation_json(self.observation),
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """The report in `line`; None where a process died before it had written all of it."""
        if not line.endswith(b"\n"):
            return None
        try:
            fields = json.loads(line)
            return cls(
                Ending(fields["ending"]),
                fields["message"],
                fields["hint"],
                fields["traceback"],
                _observation(fields["observation"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            # A stage can write to any descriptor that it guesses; that must cost only itself.
            return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one job.

    Attributes:
        message: what happened, in one or a few lines; None if the stage returned.
        hint: one thing that helps, where it is known.
        traceback: frames of the user's code and of libraries, Pivot's own left out.
        signal: the name of the signal that ended the process, like `SIGKILL`.
        exit_code: what the process passed to `exit`, if it died without a signal.
        duration_s: seconds from the start of the process to its end.
        observation: what a stage that returned was seen to do.
    """

    stage: StageName
    ending: Ending
    message: str | None = None
    hint: str | None = None
    traceback: str | None = None
    signal: str | None = None
    exit_code: int | None = None
    duration_s: float = 0.0
    observation: Observation | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "stage": self.stage,
            "ending": self.ending.value,
            "message": self.message,
            "hint": self.hint,
            "traceback": self.traceback,
            "signal": self.signal,
            "exit_code": self.exit_code,
            "duration_s": self.duration_s,
            "observation": _observation_json(self.observation),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The outcome that `to_json` wrote."""
        kinds = {
            "stage": StageName(value["stage"]),
            "ending": Ending(value["ending"]),
            "observation": _observation(value["observation"]),
        }
        return cls(**{**value, **kinds})

    @classmethod
    def of_exit(
        cls,
        stage: StageName,
        *,
        report: Report | None,
        status: int,
        cancelled: bool,
        duration_s: float,
    ) -> Self:
        """What a process's report and wait status (as `os.waitpid` gives it) amount to.

        A cancelled job counts as cancelled whatever else it did: it may have been ended halfway
        through the handling of the signal.
        """
        if cancelled:
            return cls(stage, Ending.CANCELLED, "it was cancelled", duration_s=duration_s)
        if report is not None:
            return cls(
                stage,
                report.ending,
                report.message,
                report.hint,
                report.traceback,
                duration_s=duration_s,
                observation=report.observation,
            )
        return cls._of_death(stage, status, duration_s)

    @classmethod
    def _of_death(cls, stage: StageName, status: int, duration_s: float) -> Self:
        number = status & 0x7F
        if number:
            name = signal_name(number)
            hint = _SIGNAL_HINTS.get(name)
            message = f"its process was killed by {name}"
            return cls(stage, Ending.DIED, message, hint, signal=name, duration_s=duration_s)
        code = status >> 8
        return cls(
            stage,
            Ending.DIED,
            f"its process exited with code {code} before the stage returned",
            "Return from the stage's function, or raise an exception, instead of `os._exit`",
            exit_code=code,
            duration_s=duration_s,
        )


def _observation_json(observation: Observation | None) -> dict[str, Json] | None:
    return None if observation is None else observation.to_json()


def _observation(value: Mapping[str, Any] | None) -> Observation | None:
    return None if value is None else Observation.from_json(value)


_SIGNAL_HINTS = {
    "SIGKILL": "If memory ran out, run fewer stages at once: `pivot repro --jobs 1`",
    "SIGSEGV": "Native code crashed; the end of the stage's log names the Python line",
    "SIGABRT": "Native code gave up; the end of the stage's log names the Python line",
    "SIGBUS": "Native code crashed; a mapped file may have been cut short, or a disk be full",
}


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; `signal 40` for one that has no name."""
    try:
        return signal_.Signals(number).name
    except ValueError:
        return f"signal {number}"
