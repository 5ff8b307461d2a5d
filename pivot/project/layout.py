"""Where things are in a project: the folder `.pivot/` and what lies in it."""

import os
from typing import NamedTuple

from pivot.errors import NoProjectError, UsageError

FOLDER = ".pivot"
# What Pivot writes below it.
_STORE = ("packs", "index", "tombstones", "tmp", "remotes", "damaged", "projects")
_WRITTEN = ("stages", "runs", "aside", "tmp", "state.db", "cache")
WRITTEN = (*_WRITTEN, *(f"cache/{name}" for name in _STORE))


class Layout(NamedTuple):
    """The paths of a project; `root` is absolute."""

    root: str

    @property
    def folder(self) -> str:
        return os.path.join(self.root, FOLDER)

    @property
    def locks(self) -> str:
        return os.path.join(self.folder, "stages")

    @property
    def state(self) -> str:
        return os.path.join(self.folder, "state.db")

    @property
    def runs(self) -> str:
        return os.path.join(self.folder, "runs")

    @property
    def aside(self) -> str:
        return os.path.join(self.folder, "aside")

    @property
    def temporary(self) -> str:
        return os.path.join(self.folder, "tmp")

    @property
    def config(self) -> str:
        return os.path.join(self.folder, "config.toml")


def find_project(start: str) -> Layout:
    """The project that the folder `start` lies in: the nearest folder with `.pivot/`.

    Raises `NoProjectError` outside of any.
    """
    here = os.path.realpath(start)
    while True:
        folder = os.path.join(here, FOLDER)
        if os.path.isdir(folder) and not os.path.islink(folder):
            _refuse_links(folder)
            return Layout(here)
        parent = os.path.dirname(here)
        if parent == here:
            raise NoProjectError(
                "this is no Pivot project",
                why=f"neither {os.path.realpath(start)} nor a folder above it has {FOLDER}/",
                hint="Run `pivot init` in the project's root",
            )
        here = parent


def _refuse_links(folder: str) -> None:
    """A repository could bring links that lead what Pivot writes out of the project."""
    for name in WRITTEN:
        path = os.path.join(folder, name)
        if os.path.islink(path):
            raise UsageError(
                f"{path} is a symbolic link",
                why="Pivot writes there, and a link could lead anywhere",
                hint="Remove it; another place for the cache is set with"
                " `pivot config set --local cache.dir FOLDER`",
            )
