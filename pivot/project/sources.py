"""The project's source files as they are on disk, for analysis."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pivot.paths import RepoPath


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


def plain_names(names: Iterable[str]) -> Iterator[str]:
    """Names in a folder without hidden ones and caches, which are no sources."""
    return (name for name in names if not name.startswith(".") and name != "__pycache__")
