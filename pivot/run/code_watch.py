"""Watching which of the project's code runs in this process: see `CodeWatch`."""

import sys
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType
from typing import Final

from pivot.definition.monitoring import free_tool
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps
from pivot.run.import_watch import IMPORT_MODULE, ImportWatch
from pivot.run.machinery import IMPORTER

# Enough for what people write by hand; what comes in larger numbers is data, and belongs in `deps`.
_MAX_PLACES: Final = 50_000
# A function that runs this often during imports counts as one that runs anyway.
_MAX_AT_IMPORT: Final = 100

_START_PROCESS: Final = "BaseProcess.start"  # of multiprocessing, and of joblib's workers


class CodeWatch:
    """Notes functions and modules that run.

    `sys.monitoring` tells of each code object once, and costs nothing from then on.
    """

    def __init__(self, bounds: Bounds, imports: ImportWatch, gaps: Gaps) -> None:
        """`imports` is told of calls that import by name."""
        self._bounds = bounds
        self._imports = imports
        self._gaps = gaps
        self._active = False
        self._tool: int | None = None
        self._code: dict[str, set[int]] = {}
        self._imported: dict[str, dict[str, set[int]]] = {}
        self._at_import: dict[int, int] = {}
        self._places = 0
        self.processes = False

    def start(self) -> None:
        """Begin; what is put in place stays for the rest of the process."""
        self._active = True
        monitoring = sys.monitoring
        tool = self._tool = free_tool()
        if tool is None:
            self._gaps.note("a debugger or profiler has all places of sys.monitoring")
            return
        monitoring.use_tool_id(tool, "pivot stage")
        for event in (monitoring.events.PY_START, monitoring.events.PY_RESUME):
            monitoring.register_callback(tool, event, self._started)
        monitoring.register_callback(tool, monitoring.events.CALL, self._imports.called)
        monitoring.set_events(tool, monitoring.events.PY_START | monitoring.events.PY_RESUME)

    def stop(self) -> None:
        self._active = False

    @property
    def code(self) -> dict[str, tuple[int, ...]]:
        """See `Observation.code`."""
        return _ordered(self._code)

    @property
    def imported(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """See `Observation.imported`."""
        return {by: _ordered(code) for by, code in list(self._imported.items())}

    def _started(self, code: CodeType, _offset: int) -> object:
        """Note code that begins to run, and ask for no more of it."""
        disable: object = sys.monitoring.DISABLE
        if not self._active:
            return disable
        file = self._bounds.source(code.co_filename)
        if file is None:
            if code is IMPORT_MODULE:
                self._imports.asked_for_module(sys._getframe(1))  # noqa: SLF001 - it begins
                return None
            if code.co_qualname == _START_PROCESS:
                self.processes = True
            return disable
        if "__import__" in code.co_names and self._tool is not None:
            sys.monitoring.set_local_events(self._tool, code, sys.monitoring.events.CALL)
        is_body = not code.co_flags & CO_OPTIMIZED
        if is_body and code.co_name != "<module>":
            return disable  # of a class: it runs where the class is made, which was noted
        if self._places >= _MAX_PLACES:
            self._gaps.note(f"more than {_MAX_PLACES} functions ran")
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

    def _importer(self, frame: FrameType | None) -> str | None:
        """The source whose import made a function run, if it was one of the project's."""
        source: str | None = None
        while frame is not None:
            code = frame.f_code
            if (code.co_filename, code.co_name) == IMPORTER:
                return source
            if code.co_name == "<module>":
                source = self._bounds.source(code.co_filename)
            frame = frame.f_back
        return None


def _ordered(code: dict[str, set[int]]) -> dict[str, tuple[int, ...]]:
    # Copied first: a thread that the stage left running may be adding to it.
    return {file: tuple(sorted(lines)) for file, lines in list(code.items())}
