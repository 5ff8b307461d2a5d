"""An exception that left a stage, as a report: bounded, and without Pivot's own frames."""

import importlib
import os
import traceback
from collections.abc import Iterator

from pivot.errors import PivotError
from pivot.run.capture import bounded
from pivot.run.outcome import Ending, Report

MESSAGE_LIMIT = 4 << 10
TRACEBACK_LIMIT = 64 << 10

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_IMPORTER = os.path.dirname(os.path.abspath(importlib.__file__)) + os.sep
_INTERNAL = (_OWN, _IMPORTER, "<frozen importlib")


def describe(error: BaseException) -> Report:
    """What to tell a person about `error`.

    Its own `__str__` may be broken or endless; the standard library's formatter takes care of the
    first, the limits of the second.
    """
    formatted = traceback.TracebackException.from_exception(error)
    for part in _chain(formatted):
        part.stack[:] = [frame for frame in part.stack if not frame.filename.startswith(_INTERNAL)]
    frames = any(part.stack for part in _chain(formatted))
    text = bounded("".join(formatted.format()), TRACEBACK_LIMIT) if frames else None
    if isinstance(error, PivotError):
        return Report(Ending.RAISED, bounded(str(error), MESSAGE_LIMIT), error.hint, text)
    return Report(Ending.RAISED, _message(error, formatted), _hint(error), text)


def _message(error: BaseException, formatted: traceback.TracebackException) -> str:
    if isinstance(error, SystemExit):
        code = error.code
        shown = "" if code is None else repr(code) if type(code) in (int, str) else "..."
        return bounded(f"sys.exit({shown}) was called", MESSAGE_LIMIT)
    return bounded("".join(formatted.format_exception_only()).strip(), MESSAGE_LIMIT)


def _hint(error: BaseException) -> str | None:
    if isinstance(error, SystemExit):
        return "Return from the stage's function to succeed, raise an exception to fail"
    return None


def _chain(first: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """An exception, its causes and contexts, and the members of its groups."""
    waiting = [first]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [other for other in (part.__cause__, part.__context__) if other is not None]
        waiting += part.exceptions or ()
