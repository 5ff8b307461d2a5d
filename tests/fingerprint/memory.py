"""Sources of a project, held in memory."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from pivot.paths import RepoPath


class InMemory:
    """Sources held as `{path: bytes}`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._folders: dict[str, set[str]] = {}
        for path in files:
            names = PurePosixPath(path)
            for name, folder in zip((names, *names.parents), names.parents, strict=False):
                self._folders.setdefault(str(folder), set()).add(name.name)

    def read(self, path: RepoPath) -> bytes | None:
        return self._files.get(path)

    def is_dir(self, path: RepoPath) -> bool:
        return path in self._folders

    def names(self, path: RepoPath) -> list[str]:
        return sorted(self._folders.get(path, ()))
