"""Telling what Python's own machinery does in a process from what the project's code asks for."""

import sys
from types import FrameType
from typing import Final

from pivot.run.bounds import Bounds

IMPORTER: Final = ("<frozen importlib._bootstrap>", "_find_and_load")
"""File and name of the function under whose frame a module is found and run."""

# They read sources to show lines of them, and list `sys.path` to find distributions.
_LOOKING: Final = ("linecache", "importlib.metadata", "importlib_metadata", "pkg_resources")
BETWEEN: Final = sys.stdlib_module_names | {"pivot"}
"""Top-level names of modules that stand between a library or own code and what these ask for."""


def is_source_lookup(frame: FrameType | None, bounds: Bounds) -> bool:
    """Whether files are looked at to import them, to show lines of them, or for what is installed.

    `frame` is where they are.
    """
    while frame is not None:
        code = frame.f_code
        if bounds.is_own(code.co_filename):
            return False
        if (code.co_filename, code.co_name) == IMPORTER:
            return True
        if frame.f_globals.get("__name__") in _LOOKING:
            return True
        frame = frame.f_back
    return False


def asker(frame: FrameType | None, bounds: Bounds) -> FrameType | None:
    """The frame of own code that does something, by Python's libraries or by a text that it runs.

    None if another library does it. `frame` is where it is done.
    """
    while frame is not None:
        file = frame.f_code.co_filename
        if bounds.source(file) is not None:
            return frame
        module = frame.f_globals.get("__name__")
        is_between = isinstance(module, str) and module.partition(".")[0] in BETWEEN
        is_text = file.startswith("<") and not file.startswith("<frozen")
        if not is_between and not is_text:
            return None
        frame = frame.f_back
    return None
