"""The project's source files for analysis: as they are on disk, and as a commit has them."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pivot.paths import RepoPath

if TYPE_CHECKING:
    from pivot.git.repository import CommitId, Repository


@dataclass(frozen=True, slots=True)
class DiskSources:
    """Reads sources below `root`, the project's absolute path."""

    root: str

    def read(self, path: RepoPath) -> bytes | None:
        try:
            with open(os.path.join(self.root, path), "rb") as f:
                return f.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def is_dir(self, path: RepoPath) -> bool:
        return os.path.isdir(os.path.join(self.root, path))


@dataclass(frozen=True, slots=True)
class CommitSources:
    """Reads sources from a commit; `root`, the project's absolute path, is its place there, too.

    A link in a commit is no source: what it led to at that time can't be told.
    """

    repository: "Repository"
    commit: "CommitId"
    root: str

    def read(self, path: RepoPath) -> bytes | None:
        return self.repository.read(self.commit, self.repository.work_path(self.root, path))

    def is_dir(self, path: RepoPath) -> bool:
        if path == RepoPath.ROOT and os.path.realpath(self.root) == self.repository.workdir:
            return True
        return self.repository.has_folder(self.commit, self.repository.work_path(self.root, path))
