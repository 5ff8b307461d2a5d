"""What verifying finds, as data; and what it amounts to."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pivot.errors import ExitCode
from pivot.hashing import Json
from pivot.paths import RepoPath


class State(IntEnum):
    """How good something is, from good to bad: the worst counts."""

    GOOD = 0
    STALE = 1
    MISSING = 2
    DAMAGED = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def exit_code(self) -> ExitCode:
        return _EXIT_CODES[self]


_EXIT_CODES = {
    State.GOOD: ExitCode.DONE,
    State.STALE: ExitCode.STALE,
    State.MISSING: ExitCode.MISSING,
    State.DAMAGED: ExitCode.INTEGRITY,
}


class FindingKind(StrEnum):
    """What kind of thing is amiss; the words of `verify --json`."""

    CODE = "code"
    SCHEME = "scheme"
    DECLARATION = "declaration"
    DEP = "dep"
    OBSERVED = "observed"
    OUT = "out"
    MISSING = "missing"
    DAMAGED = "damaged"
    LOCK = "lock"

    @property
    def state(self) -> State:
        return _STATES.get(self, State.STALE)


_STATES = {
    FindingKind.MISSING: State.MISSING,
    FindingKind.DAMAGED: State.DAMAGED,
    FindingKind.LOCK: State.DAMAGED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is amiss.

    Attributes:
        what: a symbol, a path, or for a lock or `.pvt` file that file.
        old: what the lock says; `new` what is. None stands for absent.
        objects: of missing or damaged data, how many entries can't be had.
        text: of a lock or function, why it can't be read; `hint`: what helps there.
    """

    kind: FindingKind
    what: str
    old: str | None = None
    new: str | None = None
    file: RepoPath | None = None
    line: int | None = None
    objects: int | None = None
    text: str | None = None
    hint: str | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "what": self.what,
            "old": self.old,
            "new": self.new,
            "file": self.file,
            "line": self.line,
            "objects": self.objects,
            "text": self.text,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about a stage, or a tracked path."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        return max((finding.kind.state for finding in self.findings), default=State.GOOD)
