"""The whole account of a decision: each reason with the way from the stage to what changed.

What takes more looking is added by others: `listing` says what changed in directories, and
`differing` what the sources were.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pivot.code.findings import Fingerprint
from pivot.explain import Reason, ReasonKind
from pivot.hashing import Json
from pivot.paths import RepoPath, StageName, TreePath
from pivot.plan import Decision, Plan
from pivot.survey import StageSurvey


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What differs between two contents of a directory."""

    added: tuple[TreePath, ...]
    changed: tuple[TreePath, ...]
    removed: tuple[TreePath, ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "added": list(self.added),
            "changed": list(self.changed),
            "removed": list(self.removed),
        }


@dataclass(frozen=True, slots=True)
class Former:
    """Where a symbol stood when the lock was made.

    Attributes:
        commit: the whole id of a commit that has it.
        kind: what it was.
        chain: from the stage's function to it.
    """

    commit: str
    file: RepoPath
    line: int
    kind: str
    chain: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "commit": self.commit,
            "file": self.file,
            "line": self.line,
            "kind": self.kind,
            "chain": list(self.chain),
        }


@dataclass(frozen=True, slots=True)
class Detail:
    """One reason, with all that is known about it.

    Attributes:
        chain: symbols from the stage's function to the one that changed, both included; empty for
            what is no code, and for code that the stage reaches no more.
        files: of a directory whose old listing can be had.
        former: of a symbol that is gone, if it was looked for.
        diff: lines of a unified diff, None if it wasn't asked for or there is none.
        notes: what is to be known about the diff, or why there is none.
    """

    reason: Reason
    chain: tuple[str, ...] = ()
    files: FileChanges | None = None
    former: Former | None = None
    diff: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            **self.reason.to_json(),
            "chain": list(self.chain),
            "files": None if self.files is None else self.files.to_json(),
            "former": None if self.former is None else self.former.to_json(),
            "diff": None if self.diff is None else "".join(f"{line}\n" for line in self.diff),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Account:
    """A decision with the details of its reasons, in their order."""

    stage: StageName
    decision: Decision
    survey: StageSurvey
    details: tuple[Detail, ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "stage": self.stage,
            "state": self.decision.state,
            "reasons": [detail.to_json() for detail in self.details],
        }


def accounts(
    plan: Plan, names: Sequence[StageName], fingerprints: Mapping[StageName, Fingerprint]
) -> tuple[Account, ...]:
    """The accounts of these stages, as far as the plan itself tells."""
    return tuple(
        Account(
            name,
            plan.decisions[name],
            plan.survey.stages[name],
            tuple(_details(plan.decisions[name].reasons, fingerprints[name])),
        )
        for name in names
    )


def _details(reasons: Sequence[Reason], fingerprint: Fingerprint) -> Iterator[Detail]:
    code = [reason for reason in reasons if reason.kind is ReasonKind.CODE]
    gone = {reason.old: reason.what for reason in code if reason.new is None}
    for reason in reasons:
        # A name is no part of a hash, so what was renamed or moved has the one that it had.
        is_new = reason.kind is ReasonKind.CODE and reason.old is None
        former = gone.get(reason.new) if is_new else None
        notes = () if former is None else (f"it is what {former.replace(':', '.')} was",)
        yield Detail(reason, _chain(reason, fingerprint), notes=notes)


def _chain(reason: Reason, fingerprint: Fingerprint) -> tuple[str, ...]:
    is_reached = reason.kind is ReasonKind.CODE and reason.what in fingerprint.code
    return fingerprint.chain(reason.what) if is_reached else ()
