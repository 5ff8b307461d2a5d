"""The project's source files as they are on disk, for analysis."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from pivot.paths import RepoPath
from pivot.track.listings import plain_names


class DiskSources(NamedTuple):
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

    def names(self, path: RepoPath) -> Sequence[str]:
        try:
            names = os.listdir(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return sorted(plain_names(names))
