"""Watching which files this process opens: see `FileWatch`."""

import os
import sys
from collections.abc import Mapping
from typing import Final

from pivot.run.audit import Handler
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps
from pivot.run.machinery import is_source_lookup
from pivot.run.observation import Stamp
from pivot.run.places import Places

_MAX_FILES: Final = 5_000  # what comes in larger numbers is data, and belongs in `deps`
_MAX_KNOWN: Final = 20_000
_ABOVE: Final = 4  # how many frames stand between who opens a file and the one that notes it
_NOT_READING: Final = os.O_ACCMODE | os.O_TRUNC
_READING: Final = (os.O_RDONLY, os.O_RDWR)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class FileWatch:
    """Notes files of the project that are read, looked for or written; an audit hook tells."""

    def __init__(self, bounds: Bounds, places: Places, gaps: Gaps) -> None:
        self._bounds = bounds
        self._places = places
        self._gaps = gaps
        self._reads: dict[str, Stamp | None] = {}
        self._writes: dict[str, None] = {}
        self._known: set[tuple[object, ...]] = set()
        self.handlers: Mapping[str, Handler] = {
            "open": self._opened,
            "os.chdir": self._moved,
            "os.rename": lambda args: self._written(args[1]),
            "os.link": lambda args: self._written(args[1]),
            "os.symlink": lambda args: self._written(args[1]),
            "sqlite3.connect": lambda args: self._opened((args[0], None, os.O_RDONLY)),
            "ctypes.dlopen": lambda args: self._opened((args[0], None, os.O_RDONLY)),
        }

    @property
    def reads(self) -> dict[str, Stamp | None]:
        """See `Observation.reads`."""
        return dict(sorted(self._reads.items()))

    @property
    def writes(self) -> tuple[str, ...]:
        """See `Observation.writes`."""
        return tuple(sorted(self._writes))

    def _opened(self, args: tuple[object, ...]) -> None:
        is_text = type(args[0]) is str  # the hash of another type could be code of the user's
        if is_text and args in self._known:
            return
        if self._note(*args) and is_text and len(self._known) < _MAX_KNOWN:
            self._known.add(args)

    def _note(self, path: object, mode: object, flags: object) -> bool:
        """Note that a file is about to be opened; whether to be told of it again is no use."""
        place = self._places.noted(path)
        if place is None or not isinstance(flags, int):
            return True
        absolute, inside = place
        if inside in self._writes:
            return True  # from now on it is the stage's own
        is_writing = flags & _WRITING != 0
        is_reading = flags & _NOT_READING in _READING and inside not in self._reads
        if not is_reading and not is_writing:
            return True
        stamp = Stamp.of(absolute)
        if stamp is None and os.path.lexists(absolute):
            return False  # no file
        # Looking for what isn't there counts if `open` does it: `os.open` may be given a name that
        # is relative to another folder.
        is_lookup = isinstance(mode, str) and not is_writing
        if is_reading and (stamp is not None or is_lookup):
            self._read(inside, stamp)
        if is_writing:
            self._write(inside)
        return inside in self._writes or (inside in self._reads and not is_writing)

    def _moved(self, _: tuple[object, ...]) -> None:
        """The working directory is about to be another one, and relative paths lead elsewhere."""
        self._known.clear()

    def _read(self, inside: str, stamp: Stamp | None) -> None:
        if len(self._reads) >= _MAX_FILES:
            self._gaps.note(f"more than {_MAX_FILES} files were read")
        elif not is_source_lookup(sys._getframe(_ABOVE), self._bounds):  # noqa: SLF001
            self._reads[inside] = stamp

    def _written(self, path: object) -> None:
        place = self._places.noted(path)
        if place is not None:
            self._write(place[1])

    def _write(self, inside: str) -> None:
        if inside in self._writes:
            return
        if len(self._writes) >= _MAX_FILES:
            self._gaps.note(f"more than {_MAX_FILES} files were written")
        else:
            self._writes[inside] = None
