"""Names in folders of a project, without what stages, Pivot and Python put there.

So they are the same before and after stages ran, and with or without the tracked data in place.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from pivot.lock.observed import names_hash
from pivot.paths import RepoPath
from pivot.track.pvt import SUFFIX


def plain_names(names: Iterable[str]) -> Iterator[str]:
    """Names in a folder without hidden ones and caches, which are no sources."""
    return (name for name in names if not name.startswith(".") and name != "__pycache__")


def _unknown(_: RepoPath) -> None:
    """For those who can read no directory that isn't there."""


class Listings:
    """The names that count in folders of the project at `root`, an absolute path."""

    def __init__(
        self,
        root: str,
        outs: Callable[[], Iterable[RepoPath]],
        tracked: Callable[[], Iterable[RepoPath]],
        kept: Callable[[RepoPath], Collection[str] | None] = _unknown,
    ) -> None:
        """`outs` are of all stages; `tracked` paths count as there. Both are asked at first use.

        `kept` says which names a folder inside a tracked directory should hold that isn't there.
        """
        self._root = root
        self._outs = outs
        self._paths = tracked
        self._kept = kept

    @cached_property
    def _results(self) -> Mapping[RepoPath, set[str]]:
        """Names that come and go with outs, by the folder that they stand in."""
        return _by_folder(self._outs())

    @cached_property
    def _tracked(self) -> Mapping[RepoPath, set[str]]:
        """Names that lead to tracked paths, by the folder that they stand in."""
        return _by_folder(self._paths())

    def digest(self, folder: RepoPath) -> str | None:
        """What stands in a lock for the names in a folder now, or those that it should hold."""
        names = self.names(folder)
        if names is None:
            kept = self._kept(folder)
            names = None if kept is None else self.counted(folder, kept)
        return names_hash(names)

    def names(self, folder: RepoPath) -> Collection[str] | None:
        """The names in a folder that count; None where there is no folder."""
        try:
            found = os.listdir(os.path.join(self._root, folder))
        except (FileNotFoundError, NotADirectoryError):
            found = None
        return self.counted(folder, found)

    def counted(self, folder: RepoPath, names: Iterable[str] | None) -> Collection[str] | None:
        """Those that count of the names that were found in a folder, sorted; None: it wasn't there.

        A folder that is there only for outs or tracked data counts as there.
        """
        results, tracked = self._results.get(folder), self._tracked.get(folder, set())
        if names is None and results is None and not tracked:
            return None
        found = {name for name in plain_names(names or ()) if not name.endswith(SUFFIX)}
        return sorted((found - (results or set())) | tracked)


def _by_folder(paths: Iterable[RepoPath]) -> dict[RepoPath, set[str]]:
    """For each folder around some paths, the names in it that lead to them."""
    found: dict[RepoPath, set[str]] = {}
    for path in paths:
        inner = path
        while inner != RepoPath.ROOT:
            names = found.setdefault(inner.parent, set())
            name = inner.rpartition("/")[2]
            if name in names:
                break  # with all folders around it
            names.add(name)
            inner = inner.parent
    return found
