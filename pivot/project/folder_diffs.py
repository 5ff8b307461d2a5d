"""Which names came to and left a folder that a run listed: of the lock's time, and of now.

A lock has no more of them than a hash, so the names of then are those of a commit that has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pivot.lock.observed import names_hash
from pivot.paths import RepoPath, TreePath
from pivot.project.account import SHORT_ID, Detail, FileChanges
from pivot.project.former_code import FormerCode
from pivot.project.origin import Origin
from pivot.track.listings import Listings

NOT_COMMITTED: Final = "the lock isn't committed: no names to compare with"
NO_REPOSITORY: Final = "the project is in no Git repository: no names to compare with"


@dataclass(frozen=True, slots=True)
class FolderDiffs:
    """Compares for one stage; without Git there are neither `past` nor `origin`."""

    listings: Listings
    past: FormerCode | None = None
    origin: Origin | None = None

    def add(self, detail: Detail, folder: RepoPath) -> Detail:
        """The detail of a folder with the names that differ, or with a note why there are none."""
        now = frozenset(self.listings.names(folder) or ())
        if detail.reason.old is None:
            return replace(detail, files=_changes(frozenset(), now))
        for then in self._names(folder):
            if names_hash(then) == detail.reason.old:
                return replace(detail, files=_changes(then, now))
        return replace(detail, notes=(self._lacking,))

    def _names(self, folder: RepoPath) -> Iterator[frozenset[str]]:
        """The names that counted in commits that may be of the lock's time."""
        if self.past is not None and self.origin is not None:
            for commit in self.origin.commits:
                found = self.listings.counted(folder, self.past.names(commit, folder))
                yield frozenset(found or ())

    @property
    def _lacking(self) -> str:
        if self.origin is None:
            return NO_REPOSITORY
        if self.origin.commit is None:
            return NOT_COMMITTED
        return f"commit {self.origin.commit[:SHORT_ID]} has the lock, but not these names"


def _changes(then: frozenset[str], now: frozenset[str]) -> FileChanges:
    added, removed = (tuple(map(TreePath, sorted(some))) for some in (now - then, then - now))
    return FileChanges(added, (), removed)
