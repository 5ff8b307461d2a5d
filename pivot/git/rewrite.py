"""Rewriting a text file that people edit too."""

from collections.abc import Callable

from pivot.errors import DeniedError, PivotError
from pivot.files import open_nofollow, write_atomic


def rewrite(path: str, change: Callable[[str], str]) -> bool:
    """Replace a file's text by `change` of it (of nothing, where it is absent).

    Returns whether anything was written. Bytes that are no UTF-8 pass through unchanged. A link
    is refused, as Git refuses to read its own files through one.
    """
    try:
        old = _read(path)
        new = change(old.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if new == old:
            return False
        write_atomic(path, new)
    except PermissionError as error:
        raise DeniedError(f"{path} can't be written", why=error.strerror) from error
    except OSError as error:
        raise PivotError(f"{path} can't be rewritten", why=error.strerror) from error
    return True


def _read(path: str) -> bytes:
    try:
        fd = open_nofollow(path)
    except FileNotFoundError:
        return b""
    with open(fd, "rb") as f:
        return f.read()
