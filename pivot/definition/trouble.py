"""Saying what went wrong in user code that was being imported, with its own lines only."""

import os
import traceback
from collections.abc import Sequence
from types import TracebackType

import pivot
from pivot.errors import PivotError

_MAX_FRAMES = 8
_MAX_TEXT = 2000
_NOT_TOLD = ("<frozen ", os.path.join(os.path.dirname(os.path.abspath(pivot.__file__)), ""))


def describe(error: BaseException, project: str) -> dict[str, str | None]:
    """Message, why and hint for an error that ended loading.

    Args:
        error: what was raised.
        project: absolute path of the project root; files below it are named relative to it.
    """
    if isinstance(error, PivotError):
        return {"message": error.message, "why": error.why, "hint": error.hint}
    if isinstance(error, SyntaxError) and error.filename is not None:
        return _syntax(error, project)
    where = _frames(error.__traceback__, project)
    place = where[-1] if where else "a source"
    why = "\n".join([_one_line(error), *(f"  {frame}" for frame in where)])
    if isinstance(error, SystemExit):
        return {
            "message": f"sys.exit({error.code!r}) was called while stages were loaded",
            "why": f"at {place}",
            "hint": "Call it inside a function, or below `if __name__ == '__main__':`",
        }
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        hint = f"Install {error.name} in this environment, or correct the import"
    else:
        hint = f"Correct {_own(where).partition(',')[0]}"
    return {"message": "the stages can't be loaded", "why": why, "hint": hint}


def _own(frames: Sequence[str]) -> str:
    """The innermost of `frames` that is the project's: nobody corrects a library."""
    own = [frame for frame in frames if not os.path.isabs(frame)]
    return own[-1] if own else "a source"


def _syntax(error: SyntaxError, project: str) -> dict[str, str | None]:
    place = f"{_short(error.filename or '', project)}:{error.lineno}"
    lines = [error.msg]
    if error.text is not None:
        text = error.text.rstrip("\n")
        lines += [f"  {text}", "  " + " " * max((error.offset or 1) - 1, 0) + "^"]
    return {
        "message": f"{place} has a syntax error",
        "why": "\n".join(lines)[:_MAX_TEXT],
        "hint": f"Correct {place}",
    }


def _one_line(error: BaseException) -> str:
    """Type and message of an error, also of one whose own methods are broken."""
    return "".join(traceback.format_exception_only(error)).strip()[:_MAX_TEXT]


def _frames(trace: TracebackType | None, project: str) -> list[str]:
    """The innermost frames, outermost first, from the first that lies in the project."""
    top = os.path.join(project, "")
    frames = traceback.extract_tb(trace, limit=-200)
    first = next((i for i, f in enumerate(frames) if f.filename.startswith(top)), len(frames))
    own = [f for f in frames[first:] if not f.filename.startswith(_NOT_TOLD)]
    return [f"{_short(f.filename, project)}:{f.lineno}, in {f.name}" for f in own[-_MAX_FRAMES:]]


def _short(path: str, project: str) -> str:
    return path.removeprefix(os.path.join(project, ""))
