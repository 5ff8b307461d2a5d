"""The commits that a lock and what it was made of are in."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pivot.git.lineage import Lineages
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.lock.folder import lock_path
from pivot.paths import StageName
from pivot.project.commit_sources import place_of
from pivot.project.project import Project

_NEAR: Final = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Commits to look for the sources of a lock in, likeliest first.

    Attributes:
        commit: the one that the lock was committed with, None if it isn't committed as it is.
        near: others: those that came after it, and where there is none that of HEAD.
    """

    commit: CommitId | None
    near: tuple[CommitId, ...]

    @property
    def commits(self) -> tuple[CommitId, ...]:
        return (self.commit, *self.near) if self.commit is not None else self.near


class Origins:
    """The origins of these stages' locks; Git's history is walked once for all."""

    def __init__(
        self, project: Project, repository: Repository, stages: Iterable[StageName]
    ) -> None:
        self._repository = repository
        self._stages = tuple(stages)
        self._folder = WorkPath(place_of(project.layout.locks, repository).removesuffix("/"))
        self._lineages = Lineages(repository, self._folder)

    def of(self, stage: StageName) -> Origin:
        """The origin of one of the stages' locks."""
        name = lock_path(stage)
        newest = self._newest.get(name)
        if newest is None:
            head = self._repository.head().commit
            return Origin(None, () if head is None else (head,))
        line = self._lineages.of(name, self._blobs[name], newest)
        # What was run may have been committed after its lock, as `pivot commit` leaves it.
        return Origin(line[-1], tuple(reversed(line[-1 - _NEAR : -1])))

    @cached_property
    def _newest(self) -> dict[str, CommitId]:
        return self._lineages.newest(self._blobs)

    @cached_property
    def _blobs(self) -> dict[str, str]:
        """The locks as Git would keep them."""
        found: dict[str, str] = {}
        for name in map(lock_path, self._stages):
            path = WorkPath(f"{self._folder}/{name}")
            entry = self._repository.on_disk(path, None, trust_modes=True)
            if entry is not None:
                found[name] = entry.blob
        return found
