"""Watching which files this process opens, and whether it starts others: see `FileWatch`."""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from inspect import currentframe
from pathlib import PurePath
from types import FrameType
from typing import Final

from pivot.definition.processes import PROCESSES
from pivot.run.bounds import Bounds, is_hidden
from pivot.run.code_watch import IMPORTER
from pivot.run.gaps import Gaps
from pivot.run.observation import Stamp

_MAX_FILES: Final = 5_000  # what comes in larger numbers is data, and belongs in `deps`
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class FileWatch:
    """Notes files of the project that are read, looked for or written; an audit hook tells."""

    def __init__(self, bounds: Bounds, declared: Collection[str], gaps: Gaps) -> None:
        """`declared`: deps and outs, of which nothing is noted."""
        self._bounds = bounds
        self._gaps = gaps
        self._declared = frozenset(declared)
        self._active = False
        self._reads: dict[str, Stamp | None] = {}
        self._writes: dict[str, None] = {}
        self.processes = False
        self._handlers: dict[str, Callable[[tuple[object, ...]], None]] = {
            "open": lambda args: self._opened(*args[:3]),
            "os.rename": lambda args: self._written(args[1]),
            "os.link": lambda args: self._written(args[1]),
            "os.symlink": lambda args: self._written(args[1]),
            "sqlite3.connect": lambda args: self._opened(args[0], None, os.O_RDONLY),
            "ctypes.dlopen": lambda args: self._opened(args[0], None, os.O_RDONLY),
        }

    def start(self) -> None:
        """Begin; what is put in place stays for the rest of the process."""
        self._active = True
        sys.addaudithook(self._audit)

    def stop(self) -> None:
        self._active = False

    @property
    def reads(self) -> dict[str, Stamp | None]:
        """See `Observation.reads`."""
        return dict(sorted(self._reads.items()))

    @property
    def writes(self) -> tuple[str, ...]:
        """See `Observation.writes`."""
        return tuple(sorted(self._writes))

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if not self._active:
            return
        handler = self._handlers.get(event)
        if handler is not None:
            handler(args)
        elif event.startswith(PROCESSES):
            self.processes = True

    def _opened(self, path: object, mode: object, flags: object) -> None:
        if not isinstance(flags, int):
            return
        place = self._noted_place(path)
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
        elif self._bounds.is_own(absolute) and not _is_source_lookup(currentframe(), self._bounds):
            self._reads[inside] = stamp

    def _written(self, path: object) -> None:
        place = self._noted_place(path)
        if place is not None:
            self._write(*place)

    def _write(self, absolute: str, inside: str) -> None:
        if inside in self._writes:
            return
        if len(self._writes) >= _MAX_FILES:
            self._gaps.note(f"more than {_MAX_FILES} files were written")
        elif self._bounds.is_own(absolute):
            self._writes[inside] = None

    def _noted_place(self, path: object) -> tuple[str, str] | None:
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
    """A path and all folders around it."""
    while inside:
        yield inside
        inside = inside.rpartition("/")[0]
    yield "."


def _is_source_lookup(frame: FrameType | None, bounds: Bounds) -> bool:
    """Whether a file is opened to import it, or to show lines of it in a traceback or warning."""
    while frame is not None:
        code = frame.f_code
        if bounds.is_own(code.co_filename):
            return False
        if (code.co_filename, code.co_name) == IMPORTER:
            return True
        if frame.f_globals.get("__name__") == "linecache":
            return True
        frame = frame.f_back
    return False
