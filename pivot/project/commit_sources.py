"""The project's source files as a commit has them, for analysis."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath
from pivot.track.listings import plain_names


def place_of(folder: str, repository: Repository) -> str:
    """A folder on disk as it is called in its work tree: with `/` at its end, or empty."""
    inside = os.path.relpath(os.path.realpath(folder), repository.workdir)
    return "" if inside == os.curdir else f"{inside}/"


@dataclass(frozen=True, slots=True)
class CommitSources:
    """Reads sources from a commit; `prefix` is the project's folder in the work tree, with `/`."""

    repository: Repository
    commit: CommitId
    prefix: str

    def read(self, path: RepoPath) -> bytes | None:
        return self.repository.read(self.commit, WorkPath(self.prefix + path))

    def file_id(self, path: RepoPath) -> ObjectId | None:
        data = self.read(path)
        return None if data is None else hash_bytes(data)

    def is_dir(self, path: RepoPath) -> bool:
        folder = self._folder(path)
        return folder is None or self.repository.has_folder(self.commit, folder)

    def names(self, path: RepoPath) -> Sequence[str]:
        below = self.repository.names(self.commit, self._folder(path))
        return sorted(plain_names({name.partition("/")[0] for name in below}))

    def _folder(self, path: RepoPath) -> WorkPath | None:
        """A folder of the project in the work tree; None for the work tree itself."""
        place = self.prefix if path == RepoPath.ROOT else f"{self.prefix}{path}/"
        return WorkPath(place[:-1]) if place else None
