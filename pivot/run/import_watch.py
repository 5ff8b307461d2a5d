"""Watching which modules this process imports by names that only a run knows: see `ImportWatch`."""

import builtins
import contextlib
import importlib
from collections.abc import Mapping
from importlib.util import resolve_name
from inspect import currentframe
from opcode import opmap
from types import CodeType, FrameType
from typing import Final

from pivot.run.audit import Handler
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps
from pivot.run.machinery import BETWEEN, asker

IMPORT_MODULE: Final = importlib.import_module.__code__
IMPORT: Final = builtins.__import__
_STATEMENT: Final = opmap["IMPORT_NAME"]
_MAX_MODULES: Final = 500


class ImportWatch:
    """Notes modules that are imported otherwise than by a statement, which analysis knows.

    That is by a function, by a text that is run, or since an object of them is unpickled. A library
    that imports what it needs itself is its own matter.
    """

    def __init__(self, bounds: Bounds, gaps: Gaps) -> None:
        self._bounds = bounds
        self._gaps = gaps
        self._modules: set[str] = set()
        self._packages: set[str] = set()
        self.handlers: Mapping[str, Handler] = {
            "import": self._imported,
            "pickle.find_class": self._unpickled,
        }

    @property
    def modules(self) -> tuple[str, ...]:
        """See `Observation.modules`."""
        return tuple(sorted(self._modules))

    @property
    def packages(self) -> tuple[str, ...]:
        """See `Observation.packages`."""
        return tuple(sorted(self._packages))

    def asked_for_module(self, frame: FrameType) -> None:
        """Note what `importlib.import_module`, whose frame this is, is about to import or finds."""
        name, package = frame.f_locals.get("name"), frame.f_locals.get("package")
        if not isinstance(name, str):
            return
        with contextlib.suppress(ImportError, ValueError, TypeError, AttributeError):
            name = resolve_name(name, package)
            self._add(self._modules, name)
            if asker(frame, self._bounds) is not None:
                self._add_package(name)

    def called(self, _code: CodeType, _offset: int, function: object, name: object) -> None:
        """Note a call of `__import__` by own code; it may be of a module that is there already."""
        if function is IMPORT and isinstance(name, str):
            self._add(self._modules, name)
            self._add_package(name)

    def _imported(self, args: tuple[object, ...]) -> None:
        """A module that isn't there yet is about to be found."""
        name = args[0]
        if not isinstance(name, str) or _top(name) in self._packages:
            return
        frame = asker(currentframe(), self._bounds)
        if frame is not None and frame.f_code.co_code[frame.f_lasti] != _STATEMENT:
            self._add_package(name)

    def _unpickled(self, args: tuple[object, ...]) -> None:
        """An object's class is looked up in a module: the data says so, whoever reads it."""
        if isinstance(args[0], str):
            self._add_package(args[0])

    def _add_package(self, module: str) -> None:
        top = _top(module)
        if top not in BETWEEN:
            self._add(self._packages, top)

    def _add(self, names: set[str], name: str) -> None:
        if name not in names and len(names) >= _MAX_MODULES:
            self._gaps.note(f"more than {_MAX_MODULES} modules were imported by name")
        elif name:
            names.add(name)


def _top(module: str) -> str:
    return module.partition(".")[0]
