"""Watching which folders this process lists, and what it makes or removes: see `FolderWatch`."""

import os
from collections.abc import Mapping
from inspect import currentframe
from typing import Final

from pivot.run.audit import Handler
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps
from pivot.run.machinery import is_source_lookup
from pivot.run.places import Places

# What comes in larger numbers is data, and belongs in `deps`.
_MAX_FOLDERS: Final = 1_000
_MAX_NAMES: Final = 20_000
_MAX_CHANGES: Final = 5_000
_NOT_RELATIVE: Final = (-1, None)  # what stands for no descriptor of a folder


class FolderWatch:
    """Notes folders of the project with the names in them when they are listed first."""

    def __init__(self, bounds: Bounds, places: Places, gaps: Gaps) -> None:
        self._bounds = bounds
        self._places = places
        self._gaps = gaps
        self._listings: dict[str, tuple[str, ...] | None] = {}
        self._names = 0
        self._changes: dict[str, None] = {}
        self.handlers: Mapping[str, Handler] = {
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "os.mkdir": lambda args: self._made(args[0], args[2]),
            "os.remove": lambda args: self._removed(*args[:2]),
            "os.rmdir": lambda args: self._removed(*args[:2]),
            "os.rename": lambda args: self._removed(args[0], args[2]),
            "shutil.rmtree": lambda args: self._removed(*args[:2]),
        }

    @property
    def listings(self) -> dict[str, tuple[str, ...] | None]:
        """See `Observation.listings`."""
        return dict(sorted(self._listings.items()))

    @property
    def changes(self) -> tuple[str, ...]:
        """See `Observation.changes`."""
        return tuple(sorted(self._changes))

    def _listed(self, args: tuple[object, ...]) -> None:
        place = self._places.noted("." if args[0] is None else args[0])
        if place is None:
            return
        absolute, inside = place[0], place[1] or "."
        if inside in self._listings or not self._bounds.is_own(f"{absolute}/"):
            return  # noted, or an environment that lies in the project
        if len(self._listings) >= _MAX_FOLDERS:
            self._gaps.note(f"more than {_MAX_FOLDERS} folders were listed")
        elif not is_source_lookup(currentframe(), self._bounds):
            self._note(absolute, inside)

    def _note(self, absolute: str, inside: str) -> None:
        self._listings[inside] = None  # first, since to list it here is an event as well
        try:
            names = os.listdir(absolute)
        except OSError:
            return
        self._names += len(names)
        if self._names > _MAX_NAMES:
            self._gaps.note(f"folders with more than {_MAX_NAMES} names were listed")
            del self._listings[inside]
        else:
            self._listings[inside] = tuple(names)

    def _made(self, path: object, descriptor: object) -> None:
        """Note a folder that is about to be made, unless it is there already."""
        if descriptor in _NOT_RELATIVE:
            place = self._places.noted(path)
            if place is not None and not os.path.lexists(place[0]):
                self._change(place[1])

    def _removed(self, path: object, descriptor: object) -> None:
        if descriptor in _NOT_RELATIVE:
            place = self._places.noted(path)
            if place is not None:
                self._change(place[1])

    def _change(self, inside: str) -> None:
        if len(self._changes) < _MAX_CHANGES:  # without the rest, the stage may run once too often
            self._changes[inside] = None
