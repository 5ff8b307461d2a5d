"""What wasn't there of all that an analysis looked for, told again by listing folders."""

import os
from collections.abc import Iterable

from pivot.paths import RepoPath

# Up to so many names are looked for one by one: a folder may hold very many others.
_FEW = 8


class Absence:
    """Tells whether something appeared where a module was looked for, in few looks.

    Of two modules' names in one folder, neither is asked for: the folder is listed.
    """

    def __init__(self, root: str) -> None:
        """`root` is the project's absolute path."""
        self._root = root
        self._names: dict[str, set[str]] = {}
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, files: Iterable[RepoPath], folders: Iterable[RepoPath]) -> None:
        """Add places where no file is, and some where no folder is."""
        for path in files:
            if not self._is_named(path):
                self._files.add(path)
        for path in folders:
            if not self._is_named(path):
                self._folders.add(path)

    def _is_named(self, path: str) -> bool:
        """Note the first part of the way to a path that isn't there; false if all of it is.

        So is a link that leads nowhere, or a folder in place of a file.
        """
        folder, _, name = path.rpartition("/")
        while folder and not os.path.isdir(self._absolute(folder)):
            folder, _, name = folder.rpartition("/")
        if os.path.lexists(self._absolute(f"{folder}/{name}" if folder else name)):
            return False
        self._names.setdefault(folder, set()).add(name)
        return True

    def holds(self) -> bool:
        """Whether none of it is there yet."""
        return (
            all(self._lacks(folder, names) for folder, names in self._names.items())
            and not any(os.path.isfile(self._absolute(path)) for path in self._files)
            and not any(os.path.isdir(self._absolute(path)) for path in self._folders)
        )

    def _lacks(self, folder: str, names: set[str]) -> bool:
        place = self._absolute(folder)
        if len(names) > _FEW:
            try:
                return names.isdisjoint(os.listdir(place))
            except FileNotFoundError:
                return True
            except OSError:
                pass  # what is in it can be opened all the same
        return not any(os.path.lexists(os.path.join(place, name)) for name in names)

    def _absolute(self, path: str) -> str:
        return os.path.join(self._root, path)
