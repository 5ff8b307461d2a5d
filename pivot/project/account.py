"""The whole account of a decision: each reason with the way from the stage to what changed.

What takes more looking is added by others: `listing` says what changed in directories, and
`differing` what the sources were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pivot.code.findings import FileRead, Fingerprint
from pivot.explain import Reason, ReasonKind
from pivot.hashing import Json
from pivot.paths import RepoPath, StageName, TreePath
from pivot.plan import Decision, Plan
from pivot.survey import StageSurvey

SHORT_ID: Final = 10
"""Digits of a commit, or of a file's id, that are shown beside a path."""


class FileChanges(NamedTuple):
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


class Former(NamedTuple):
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
        chain: symbols from the stage's function to the one that changed, both included; before a
            package those to what imports it, if that was looked for; empty for all else, and for
            code that the stage reaches no more.
        reads: of code that is there, the files that are read for it when it is imported.
        files: of a directory whose old listing can be had.
        former: of a symbol that is gone, if it was looked for.
        diff: lines of a unified diff, None if it wasn't asked for or there is none.
        notes: what is to be known about the diff, or why there is none.
    """

    reason: Reason
    chain: tuple[str, ...] = ()
    reads: tuple[FileRead, ...] = ()
    files: FileChanges | None = None
    former: Former | None = None
    diff: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            **self.reason.to_json(),
            "chain": list(self.chain),
            "reads": [read.to_json() for read in self.reads],
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
    plan: Plan, names: Sequence[StageName], fingerprint: Callable[[StageName], Fingerprint]
) -> tuple[Account, ...]:
    """The accounts of these stages, as far as the plan and the fingerprints of stages tell."""
    return tuple(
        Account(
            name,
            plan.decisions[name],
            plan.survey.stages[name],
            _details(plan.decisions[name].reasons, fingerprint, name),
        )
        for name in names
    )


def _details(
    reasons: Sequence[Reason], fingerprint: Callable[[StageName], Fingerprint], stage: StageName
) -> tuple[Detail, ...]:
    code = [reason for reason in reasons if reason.kind is ReasonKind.CODE]
    gone = {reason.old: reason.what for reason in code if reason.new is None}

    def detail(reason: Reason) -> Detail:
        if reason.kind is not ReasonKind.CODE:
            return Detail(reason)
        reached = fingerprint(stage)
        chain = reached.chain(reason.what) if reason.what in reached.code else ()
        # A name is no part of a hash, so what was renamed or moved has the one that it had.
        former = gone.get(reason.new) if reason.old is None else None
        notes = () if former is None else (f"it is what {former.replace(':', '.')} was",)
        reads = reached.reads.get(reason.what, ())
        return Detail(reason, chain, reads, notes=notes)

    return tuple(map(detail, reasons))
