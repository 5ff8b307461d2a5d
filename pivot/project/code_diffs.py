"""Diffs of symbols: as the lock was made of them, and as they are now.

Old sources are looked for in the commit of the lock, and proven by their hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from pivot.code.excerpt import Source
from pivot.git.repository import CommitId
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.account import SHORT_ID, Detail, Former
from pivot.project.former_code import FormerCode, Found
from pivot.project.origin import Origin
from pivot.project.project import Project
from pivot.project.read_diffs import read_diffs
from pivot.project.sources import DiskSources
from pivot.show.difference import unified

_NOTHING: Final = "/dev/null"

NOT_COMMITTED: Final = "the lock isn't committed: no source to compare with"
NO_REPOSITORY: Final = "the project is in no Git repository: no source to compare with"


@dataclass(frozen=True, slots=True)
class CodeDiffs:
    """Diffs for one stage; without Git there are neither `past` nor `origin`."""

    project: Project
    lock: Lock
    past: FormerCode | None = None
    origin: Origin | None = None

    def add(self, detail: Detail) -> Detail:
        """The detail of a changed symbol with its diff, or with a note why there is none."""
        reason = detail.reason
        if reason.old is None:
            return self._reached(detail)
        if self.past is None or self.origin is None:
            return replace(detail, notes=(NO_REPOSITORY,))
        found = self.past.find(self.origin, self.lock, reason.what)
        if found is None:
            return replace(detail, notes=(self._lacking,))
        if reason.new is None or reason.file is None:
            return self._left(detail, found)
        diff = _unified(reason.what, self._before(found), self._now(reason.file))
        read, notes = self._read(detail, found, self.past)
        notes = _notes(found, diff) if diff or not notes else notes
        return replace(detail, diff=(*diff, *read) or None, notes=notes)

    def _read(
        self, detail: Detail, found: Found, past: FormerCode
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Diffs of files that the symbol reads, and notes of these."""
        fingerprint = found.fingerprint
        return read_diffs(
            fingerprint.reads.get(detail.reason.what, ()) if fingerprint is not None else (),
            detail.reads,
            lambda path: past.source(found.commit, path),
            DiskSources(self.project.root).read,
            found.commit[:SHORT_ID],
        )

    def add_observed(self, detail: Detail, symbol: str) -> Detail:
        """The same of a symbol that a run was seen to use, though nothing leads to it."""
        reason = detail.reason
        if reason.old is None:
            return detail
        if self.past is None or self.origin is None:
            return replace(detail, notes=(NO_REPOSITORY,))
        found = self.past.find_observed(self.origin, symbol, reason.old)
        if found is None:
            return replace(detail, notes=(self._lacking,))
        diff = _unified(symbol, self._before(found), self._now(reason.file or found.file))
        return replace(detail, diff=diff or None, notes=_notes(found, diff))

    def _reached(self, detail: Detail) -> Detail:
        """Of a symbol that the stage didn't reach before; it may have been there."""
        reason = detail.reason
        if reason.file is None:
            return detail
        name = reason.what.partition(":")[2]
        now, before = self._now(reason.file), _Version.of(_NOTHING, None)
        if self.past is not None and self.origin is not None and self.origin.commits:
            commit = self.origin.commits[0]
            before = _at(self.past, commit, reason.file)
        if before.source.symbol(name) == now.source.symbol(name):
            note = "it was there before, but the stage didn't reach it"
            return replace(detail, notes=(*detail.notes, note))
        return replace(detail, diff=_unified(reason.what, before, now) or None)

    def _left(self, detail: Detail, found: Found) -> Detail:
        """Of a symbol that the stage reaches no more; it may still be there."""
        symbol = detail.reason.what
        former = _former(found, symbol)
        before, now = self._before(found), self._now(found.file)
        if now.source.symbol(symbol.partition(":")[2]):
            notes = ("it is still there, but the stage doesn't reach it any more",)
            return replace(detail, former=former, notes=notes)
        diff = _unified(symbol, before, now)
        return replace(detail, former=former, diff=diff or None, notes=_notes(found, diff))

    @property
    def _lacking(self) -> str:
        if self.origin is None or self.origin.commit is None:
            return NOT_COMMITTED
        return f"commit {self.origin.commit[:SHORT_ID]} has the lock, but not this code"

    def _before(self, found: Found) -> "_Version":
        assert self.past is not None, "who found something looked somewhere"  # noqa: S101
        return _at(self.past, found.commit, found.file)

    def _now(self, file: RepoPath) -> "_Version":
        return _Version.of(file, DiskSources(self.project.root).read(file))


@dataclass(frozen=True, slots=True)
class _Version:
    """A source file, and the name that diffs have for it."""

    name: str
    source: Source

    @classmethod
    def of(cls, name: str, data: bytes | None) -> Self:
        """Of a file's bytes; None: there is no such file."""
        return cls(_NOTHING if data is None else name, Source(data or b""))


def _at(past: FormerCode, commit: CommitId, file: RepoPath) -> _Version:
    return _Version.of(f"{file}@{commit[:SHORT_ID]}", past.source(commit, file))


def _unified(symbol: str, old: _Version, new: _Version) -> tuple[str, ...]:
    """Between the definitions; where these are equal, between the modules' imports."""
    name = symbol.partition(":")[2]
    definitions = unified(old.source.symbol(name), new.source.symbol(name), old.name, new.name)
    return definitions or unified(old.source.imports(), new.source.imports(), old.name, new.name)


def _former(found: Found, symbol: str) -> Former | None:
    fingerprint = found.fingerprint
    if fingerprint is None:
        return None
    at = fingerprint.locations[symbol]
    kind = fingerprint.kinds[symbol]
    return Former(found.commit, at.file, at.line, kind, fingerprint.chain(symbol))


def _notes(found: Found, diff: Sequence[str]) -> tuple[str, ...]:
    if not found.is_proven:
        what = "other code than it was made of" if diff else "the code that is here now"
        return (f"commit {found.commit[:SHORT_ID]} has the lock, but {what}",)
    if not diff:
        return ("its text is the same: a name in it stands for something else now",)
    return ()
