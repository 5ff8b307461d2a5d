"""Which paths of a running process are noted."""

import os
from collections.abc import Collection, Mapping
from pathlib import PurePath

from pivot.run.audit import Handler
from pivot.run.bounds import Bounds, is_hidden


class Places:
    """Tells paths of the project that aren't declared, nor hidden, from all others.

    Asked at each `open` of a process, it decides by folder, and once for each.
    """

    def __init__(self, bounds: Bounds, declared: Collection[str]) -> None:
        """`declared`: deps and outs, of which nothing is noted."""
        self._bounds = bounds
        self._declared = frozenset(declared)
        self._here: str | None = None
        self._folders: dict[str, str | None] = {}
        self.handlers: Mapping[str, Handler] = {"os.chdir": self._left}

    def noted(self, path: object) -> tuple[str, str] | None:
        """A path, absolute and relative to the project; None where nothing is noted of it.

        The project itself is empty. What lies in installed packages isn't noted.
        """
        if type(path) is not str:
            if not isinstance(path, (str, bytes, PurePath)):
                return None  # a descriptor, or of a type whose code would have to be run
            path = os.fsdecode(path)
        try:
            here = "" if path.startswith("/") else self._here or self._look_here()
        except OSError:
            return None  # the working directory is gone
        absolute = os.path.normpath(f"{here}{path}")
        folder, _, name = absolute.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self._within(folder)
        within = self._folders[folder]
        if within is None:
            is_project = self._bounds.inside(absolute) == "" and "." not in self._declared
            return (absolute, "") if is_project else None
        inside = within + name
        if name.startswith(".") or name.endswith(".pyc") or inside in self._declared:
            return None
        return absolute, inside

    def _within(self, folder: str) -> str | None:
        """What paths in a folder begin with, relative to the project; None: they aren't noted."""
        inside = self._bounds.inside(folder)
        if inside is None or not self._bounds.is_own(f"{folder}/"):
            return None
        within = f"{inside}/" if inside else ""
        outer = inside
        while outer:
            if outer in self._declared:
                return None
            outer = outer.rpartition("/")[0]
        return None if is_hidden(within) or "." in self._declared else within

    def _look_here(self) -> str:
        self._here = f"{os.getcwd()}/"
        return self._here

    def _left(self, _: tuple[object, ...]) -> None:
        """The working directory is about to be another one."""
        self._here = None
