"""Watching which files this process opens: see `FileWatch`."""

import os
from collections.abc import Mapping
from inspect import currentframe
from typing import Final

from pivot.run.audit import Handler
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps
from pivot.run.machinery import is_source_lookup
from pivot.run.observation import Stamp
from pivot.run.places import Places

_MAX_FILES: Final = 5_000  # what comes in larger numbers is data, and belongs in `deps`
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class FileWatch:
    """Notes files of the project that are read, looked for or written; an audit hook tells."""

    def __init__(self, bounds: Bounds, places: Places, gaps: Gaps) -> None:
        self._bounds = bounds
        self._places = places
        self._gaps = gaps
        self._reads: dict[str, Stamp | None] = {}
        self._writes: dict[str, None] = {}
        self.handlers: Mapping[str, Handler] = {
            "open": lambda args: self._opened(*args[:3]),
            "os.rename": lambda args: self._written(args[1]),
            "os.link": lambda args: self._written(args[1]),
            "os.symlink": lambda args: self._written(args[1]),
            "sqlite3.connect": lambda args: self._opened(args[0], None, os.O_RDONLY),
            "ctypes.dlopen": lambda args: self._opened(args[0], None, os.O_RDONLY),
        }

    @property
    def reads(self) -> dict[str, Stamp | None]:
        """See `Observation.reads`."""
        return dict(sorted(self._reads.items()))

    @property
    def writes(self) -> tuple[str, ...]:
        """See `Observation.writes`."""
        return tuple(sorted(self._writes))

    def _opened(self, path: object, mode: object, flags: object) -> None:
        if not isinstance(flags, int):
            return
        place = self._places.noted(path)
        if place is None:
            return
        absolute, inside = place
        is_written = inside in self._writes
        is_reading = flags & os.O_ACCMODE != os.O_WRONLY and not flags & os.O_TRUNC
        is_reading = is_reading and not is_written and inside not in self._reads
        is_writing = bool(flags & _WRITING) and not is_written
        if not is_reading and not is_writing:
            return
        stamp = Stamp.of(absolute)
        is_absent = stamp is None and not os.path.lexists(absolute)
        # Looking for what isn't there counts if `open` does it: `os.open` may be given a name that
        # is relative to another folder.
        is_lookup = is_absent and isinstance(mode, str) and not flags & _WRITING
        if is_reading and (stamp is not None or is_lookup):
            self._read(absolute, inside, stamp)
        if is_writing and (stamp is not None or is_absent):
            self._write(absolute, inside)

    def _read(self, absolute: str, inside: str, stamp: Stamp | None) -> None:
        if len(self._reads) >= _MAX_FILES:
            self._gaps.note(f"more than {_MAX_FILES} files were read")
        elif self._bounds.is_own(absolute) and not is_source_lookup(currentframe(), self._bounds):
            self._reads[inside] = stamp

    def _written(self, path: object) -> None:
        place = self._places.noted(path)
        if place is not None:
            self._write(*place)

    def _write(self, absolute: str, inside: str) -> None:
        if inside in self._writes:
            return
        if len(self._writes) >= _MAX_FILES:
            self._gaps.note(f"more than {_MAX_FILES} files were written")
        elif self._bounds.is_own(absolute):
            self._writes[inside] = None
