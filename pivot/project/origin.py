"""The commits that a lock and what it was made of are in."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from pivot.git.holders import LIMIT, Holders
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.lock.folder import lock_path
from pivot.paths import StageName
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
        self._project = project
        self._repository = repository
        self._stages = tuple(stages)
        self._holders = Holders(repository)

    def of(self, stage: StageName) -> Origin:
        """The origin of one of the stages' locks."""
        path = self._path(stage)
        newest = self._newest.get(path)
        if newest is None:
            head = self._repository.head().commit
            return Origin(None, () if head is None else (head,))
        way = list(islice(self._holders.since(newest, path, self._blobs[path]), LIMIT))
        # What was run may have been committed after its lock, as `pivot commit` leaves it.
        return Origin(way[-1], tuple(reversed(way[-1 - _NEAR : -1])))

    @cached_property
    def _newest(self) -> dict[WorkPath, CommitId]:
        return self._holders.newest(self._blobs)

    @cached_property
    def _blobs(self) -> dict[WorkPath, str]:
        """The locks as Git would keep them."""
        found: dict[WorkPath, str] = {}
        for stage in self._stages:
            path = self._path(stage)
            entry = self._repository.on_disk(path, None, trust_modes=True)
            if entry is not None:
                found[path] = entry.blob
        return found

    def _path(self, stage: StageName) -> WorkPath:
        full = os.path.join(self._project.layout.locks, lock_path(stage))
        return WorkPath(os.path.relpath(full, self._repository.workdir))
