"""What of a running process is looked at: the project's own sources and files."""

import os

from pivot.definition.ownership import Ownership


class Bounds:
    """Tells own sources and files of a project from all others."""

    def __init__(self, project: str, own: Ownership) -> None:
        """`project`: its absolute path."""
        places = {os.path.realpath(project), project}
        self._tops = tuple(place.rstrip("/") + "/" for place in places)
        self._own = own
        self._sources: dict[str, str | None] = {}

    def source(self, name: str) -> str | None:
        """A code object's file, relative to the project; None unless it is a source of it."""
        known = self._sources.get(name, "")
        if known == "":
            known = self._sources[name] = self._find_source(name)
        return known

    def _find_source(self, name: str) -> str | None:
        if not name.endswith(".py"):
            return None
        try:
            file = os.path.abspath(name)  # `runpy` leaves a path as it was given
        except OSError:
            return None
        inside = self.inside(file) if self._own.is_own(file) else None
        return None if inside is None or is_hidden(inside) else inside

    def is_own(self, file: str) -> bool:
        """Whether an absolute path is the project's, and no installed package's."""
        return self._own.is_own(file)

    def inside(self, absolute: str) -> str | None:
        """An absolute path relative to the project, which is empty itself; None for one outside."""
        for top in self._tops:
            if absolute.startswith(top):
                return absolute[len(top) :]
        return "" if f"{absolute}/" in self._tops else None


def is_hidden(inside: str) -> bool:
    """Whether a path lies in a hidden folder or a cache of bytecode, or is a hidden file."""
    return inside.startswith(".") or "/." in inside or "__pycache__/" in inside
