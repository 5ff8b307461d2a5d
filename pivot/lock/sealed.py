"""Small JSON files in Git that end with a hash of all lines above: locks and `.pvt` files.

Since every change of such a file changes its last line, two changed ones always conflict in a
merge of text, instead of merging into what nobody wrote.
"""

import json
from collections.abc import Callable, Iterable

from pivot.errors import PivotError
from pivot.hashing import Json, derive
from pivot.paths import PathError


class UnreadableLockError(PivotError):
    """A lock or `.pvt` file that is damaged, conflicted, half written, or of a newer format."""

    code = "unreadable_lock"


class NewerLockError(UnreadableLockError):
    """A lock or `.pvt` file that a newer Pivot wrote: never overwritten."""

    code = "newer_lock"


def seal(fields: Iterable[tuple[str, str]], context: str) -> bytes:
    """The bytes of a file with these fields, a name and its JSON each, and the check line."""
    body = "{\n" + "".join(f'  "{name}": {text},\n' for name, text in fields)
    data = body.encode()
    return data + f"{_check_line(data, context)}\n".encode()


def load(data: bytes) -> Json:
    """What the bytes of a file say."""
    value: Json = json.loads(data.decode())
    return value


def unseal[T](
    data: bytes,
    place: str,
    *,
    context: str,
    newest: int,
    parse: Callable[[dict[str, Json]], T],
    load: Callable[[bytes], Json] = load,
) -> T:
    """What `parse` makes of the fields that `load` finds; `place` names the file in messages.

    Both may raise `ValueError`, `KeyError`, `TypeError` or `PathError` for fields that are none.
    Raises `NewerLockError`, or `UnreadableLockError` for anything that isn't exactly what some
    Pivot wrote: conflict markers, a cut-off end, an edited line.
    """
    try:
        return parse(_checked(load(data), data, place, context, newest))
    except (ValueError, KeyError, TypeError, RecursionError, PathError) as error:
        why = "it has conflict markers" if b"\n<<<<<<< " in data else str(error)
        raise UnreadableLockError(
            f"{place} can't be read",
            why=why,
            hint=f"Take back a committed version with `git checkout HEAD -- {place}`",
        ) from error


def _checked(value: Json, data: bytes, place: str, context: str, newest: int) -> dict[str, Json]:
    """The fields, if the format is known and the last line is the hash of all others."""
    if not isinstance(value, dict):
        raise TypeError("it is no JSON object")
    format_ = value["format"]
    if type(format_) is int and format_ > newest:
        raise NewerLockError(
            f"{place} was written by a newer Pivot (format {format_})",
            hint="Upgrade with `pip install --upgrade pivot`",
        )
    if type(format_) is not int or format_ != newest:
        raise ValueError(f"no Pivot writes the format {format_!r}")
    last = data.rfind(b"\n", 0, -1) + 1
    if data[last:] != f"{_check_line(memoryview(data)[:last], context)}\n".encode():
        raise ValueError("its check line doesn't fit the lines above")
    return value


def _check_line(above: bytes | memoryview, context: str) -> str:
    return f'  "check": "{derive(context, above).hex()}"}}'
