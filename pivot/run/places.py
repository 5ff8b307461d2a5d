"""Which paths of a running process are noted."""

import os
from collections.abc import Collection, Iterator
from pathlib import PurePath

from pivot.run.bounds import Bounds, is_hidden


class Places:
    """Tells paths of the project that aren't declared, nor hidden, from all others."""

    def __init__(self, bounds: Bounds, declared: Collection[str]) -> None:
        """`declared`: deps and outs, of which nothing is noted."""
        self._bounds = bounds
        self._declared = frozenset(declared)

    def noted(self, path: object) -> tuple[str, str] | None:
        """A path, absolute and relative to the project; None where nothing is noted of it."""
        if not isinstance(path, (str, bytes, PurePath)):
            return None  # a descriptor, or of a type whose code would have to be run
        try:
            absolute = os.path.abspath(os.fsdecode(path))
        except OSError:
            return None  # the working directory is gone
        inside = self._bounds.inside(absolute)
        if inside is None or inside.endswith(".pyc") or is_hidden(inside):
            return None
        if not self._declared.isdisjoint(_parts(inside)):
            return None
        return absolute, inside


def _parts(inside: str) -> Iterator[str]:
    """A path and all folders around it; the project itself, which is empty, is `.`."""
    while inside:
        yield inside
        inside = inside.rpartition("/")[0]
    yield "."
