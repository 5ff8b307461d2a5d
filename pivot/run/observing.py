"""Watching a stage while it runs, in its own process: see `Observer`."""

import contextlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.util import resolve_name
from inspect import CO_OPTIMIZED, currentframe
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Final

from pivot.definition.environment import watch_environment
from pivot.definition.monitoring import free_tool
from pivot.definition.ownership import Ownership
from pivot.definition.processes import PROCESSES
from pivot.run.observation import Observation, Stamp

# Enough for what people write by hand; what comes in larger numbers is data, and belongs in `deps`.
MAX_CODE: Final = 50_000
MAX_FILES: Final = 5_000
MAX_NAMES: Final = 500
# A function that runs this often during imports counts as one that runs anyway.
_MAX_AT_IMPORT: Final = 100

_IMPORTER: Final = ("<frozen importlib._bootstrap>", "_find_and_load")
_IMPORT_MODULE: Final = importlib.import_module.__code__
_START_PROCESS: Final = "BaseProcess.start"  # of multiprocessing, and of joblib's workers
# Where the standard library stands between `os.environ` and whoever asked.
_BETWEEN: Final = frozenset(f.__code__.co_filename for f in (os.getenv, Mapping.get))
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Observer:
    """Notes what runs, is opened and is asked for, from `start` to `stop`; one a process.

    `sys.monitoring` tells of each code object once, and costs nothing from then on; an audit hook
    tells of files and processes; `os.environ` is wrapped. All of it holds for all threads. What
    native code and other processes do is not seen. Nothing here may raise: it would do so inside
    the user's code.
    """

    def __init__(self, project: str, own: Ownership, declared: Collection[str]) -> None:
        """`project`: its absolute path; `declared`: deps and outs, of which nothing is noted."""
        self._began_ns = time.time_ns()
        places = {os.path.realpath(project), project}
        self._tops = tuple(place.rstrip("/") + "/" for place in places)
        self._own = own
        self._declared = frozenset(declared)
        self._environment = dict(os.environ)
        self._active = False
        self._sources: dict[str, str | None] = {}
        self._code: dict[str, set[int]] = {}
        self._imported: dict[str, dict[str, set[int]]] = {}
        self._at_import: dict[int, int] = {}
        self._places = 0
        self._modules: set[str] = set()
        self._env: set[str] = set()
        self._listing: tuple[int, CodeType, int] | None = None
        self._reads: dict[str, Stamp | None] = {}
        self._writes: dict[str, None] = {}
        self._processes = False
        self._unseen: dict[str, None] = {}
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
        watch_environment(self._variable_read, self._variables_listed)
        self._watch_code()

    def stop(self) -> Observation:
        """End, and say what was seen."""
        self._active = False
        return Observation(
            began_ns=self._began_ns,
            code=_ordered(self._code),
            imported={by: _ordered(code) for by, code in self._imported.items()},
            modules=tuple(sorted(self._modules)),
            env=tuple(sorted(self._env)),
            reads=dict(sorted(self._reads.items())),
            writes=tuple(sorted(self._writes)),
            processes=self._processes,
            unseen=tuple(self._unseen),
        )

    def _miss(self, what: str) -> None:
        self._unseen.setdefault(what)

    # -- code ---------------------------------------------------------------------------------

    def _watch_code(self) -> None:
        monitoring = sys.monitoring
        tool = free_tool()
        if tool is None:
            self._miss("a debugger or profiler has all places of sys.monitoring")
            return
        monitoring.use_tool_id(tool, "pivot stage")
        for event in (monitoring.events.PY_START, monitoring.events.PY_RESUME):
            monitoring.register_callback(tool, event, self._started)
        monitoring.set_events(tool, monitoring.events.PY_START | monitoring.events.PY_RESUME)

    def _started(self, code: CodeType, _offset: int) -> object:
        """Note code that begins to run, and ask for no more of it."""
        disable: object = sys.monitoring.DISABLE
        if not self._active:
            return disable
        file = self._source(code.co_filename)
        if file is None:
            if code is _IMPORT_MODULE:
                self._asked_for_module(sys._getframe(1))  # noqa: SLF001 - the frame that begins
                return None
            if code.co_qualname == _START_PROCESS:
                self._processes = True
            return disable
        is_body = not code.co_flags & CO_OPTIMIZED
        if is_body and code.co_name != "<module>":
            return disable  # of a class: it runs where the class is made, which was noted
        if self._places >= MAX_CODE:
            self._miss(f"more than {MAX_CODE} functions ran")
            return disable
        importer = None if is_body else self._importer(sys._getframe(1))  # noqa: SLF001
        times = self._at_import.get(id(code), 0)
        if importer is not None and times < _MAX_AT_IMPORT:
            self._at_import[id(code)] = times + 1
            self._note(self._imported.setdefault(importer, {}), file, code.co_firstlineno)
            return None  # it may run again, not for an import
        self._note(self._code, file, 0 if is_body else code.co_firstlineno)
        return disable

    def _note(self, code: dict[str, set[int]], file: str, line: int) -> None:
        lines = code.setdefault(file, set())
        if line not in lines:
            lines.add(line)
            self._places += 1

    def _source(self, name: str) -> str | None:
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
        inside = self._inside(file) if self._own.is_own(file) else None
        return None if inside is None or _is_hidden(inside) else inside

    def _importer(self, frame: FrameType | None) -> str | None:
        """The source whose import made a function run, if it was one of the project's."""
        source: str | None = None
        while frame is not None:
            code = frame.f_code
            if (code.co_filename, code.co_name) == _IMPORTER:
                return source
            if code.co_name == "<module>":
                source = self._source(code.co_filename)
            frame = frame.f_back
        return None

    def _asked_for_module(self, frame: FrameType) -> None:
        """Note the name that `importlib.import_module` is about to import, or finds loaded."""
        name, package = frame.f_locals.get("name"), frame.f_locals.get("package")
        if not isinstance(name, str):
            return
        if len(self._modules) >= MAX_NAMES:
            self._miss(f"more than {MAX_NAMES} modules were imported by name")
            return
        with contextlib.suppress(ImportError, ValueError, TypeError, AttributeError):
            self._modules.add(resolve_name(name, package))

    # -- files --------------------------------------------------------------------------------

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if not self._active:
            return
        handler = self._handlers.get(event)
        if handler is not None:
            handler(args)
        elif event.startswith(PROCESSES):
            self._processes = True

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
        if len(self._reads) >= MAX_FILES:
            self._miss(f"more than {MAX_FILES} files were read")
        elif self._own.is_own(absolute) and not _is_source_lookup(currentframe(), self._own):
            self._reads[inside] = stamp

    def _written(self, path: object) -> None:
        place = self._noted_place(path)
        if place is not None:
            self._write(*place)

    def _write(self, absolute: str, inside: str) -> None:
        if inside in self._writes:
            return
        if len(self._writes) >= MAX_FILES:
            self._miss(f"more than {MAX_FILES} files were written")
        elif self._own.is_own(absolute):
            self._writes[inside] = None

    def _noted_place(self, path: object) -> tuple[str, str] | None:
        """A path, absolute and relative to the project; None where nothing is noted of it."""
        if not isinstance(path, (str, bytes, PurePath)):
            return None  # a descriptor, or of a type whose code would have to be run
        try:
            absolute = os.path.abspath(os.fsdecode(path))
        except OSError:
            return None  # the working directory is gone
        inside = self._inside(absolute)
        if inside is None or inside.endswith(".pyc") or _is_hidden(inside):
            return None
        if not self._declared.isdisjoint(_parts(inside)):
            return None
        return absolute, inside

    def _inside(self, absolute: str) -> str | None:
        for top in self._tops:
            if absolute.startswith(top):
                return absolute[len(top) :]
        return None

    # -- environment --------------------------------------------------------------------------

    def _variable_read(self, name: str, value: str | None, frame: FrameType | None) -> None:
        """Note a variable that own code itself reads, unless it goes through all of them."""
        if not self._active or name in self._env:
            return
        asker = self._asker(frame)
        if asker is None or self._listing == _spot(asker):
            return
        if value != self._environment.get(name):
            return  # the stage's own setting
        if len(self._env) >= MAX_NAMES:
            self._miss(f"more than {MAX_NAMES} variables were read")
            return
        self._env.add(name)

    def _variables_listed(self, frame: FrameType | None) -> None:
        """Remember where all variables are gone through, as in `dict(os.environ)`."""
        asker = self._asker(frame) if self._active else None
        if asker is not None:
            self._listing = _spot(asker)

    def _asker(self, frame: FrameType | None) -> FrameType | None:
        """The frame of own code that asks, not through a library; None if it isn't own code."""
        while frame is not None and frame.f_code.co_filename in _BETWEEN:
            frame = frame.f_back
        if frame is None or self._source(frame.f_code.co_filename) is None:
            return None
        return frame


def _spot(frame: FrameType) -> tuple[int, CodeType, int]:
    """Where a frame stands, without keeping it and all that its variables hold."""
    return id(frame), frame.f_code, frame.f_lasti


def _is_hidden(inside: str) -> bool:
    """Whether a path lies in a hidden folder or a cache of bytecode, or is a hidden file."""
    return inside.startswith(".") or "/." in inside or "__pycache__/" in inside


def _parts(inside: str) -> Iterator[str]:
    """A path and all folders around it."""
    while inside:
        yield inside
        inside = inside.rpartition("/")[0]
    yield "."


def _is_source_lookup(frame: FrameType | None, own: Ownership) -> bool:
    """Whether a file is opened to import it, or to show lines of it in a traceback or warning."""
    while frame is not None:
        code = frame.f_code
        if own.is_own(code.co_filename):
            return False
        if (code.co_filename, code.co_name) == _IMPORTER:
            return True
        if frame.f_globals.get("__name__") == "linecache":
            return True
        frame = frame.f_back
    return False


def _ordered(code: dict[str, set[int]]) -> dict[str, tuple[int, ...]]:
    return {file: tuple(sorted(lines)) for file, lines in code.items()}
