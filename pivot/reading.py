"""Reading files of the workspace, and handing their entries on.

Faults of the disk are told by name here. What a path was when it was looked at is compared with
what is opened later: a file that is swapped or written meanwhile is an error, never a wrong id.
"""

import errno
import io
import os
import stat as stat_

from pivot.errors import DeniedError, PivotError
from pivot.files import Stat
from pivot.state import Hashed
from pivot.store.chunking import THRESHOLD
from pivot.store.entry import Kind
from pivot.store.split import Put, split

# A FIFO that took a file's place must not block us.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class UnsupportedFileError(PivotError):
    """Something in a dep or out that is no plain file or directory, or has no usable name."""

    code = "unsupported_file"


class ChangingFileError(PivotError):
    """A file changed, or vanished, while it was read."""

    code = "changing_file"


def follow(absolute: str) -> Stat | None:
    """The state of a file or directory, links followed; None where nothing is."""
    try:
        return Stat.of(os.stat(absolute))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise fault(absolute, error) from error


def read_file(absolute: str, stat: Stat, put: Put) -> Hashed:
    """Hand a file's entries to `put`; raises if it isn't what `stat` says, before or after."""
    fd = _open(absolute)
    try:
        if stat.size <= THRESHOLD:
            hashed = Hashed(put(_read_whole(fd, absolute, stat), Kind.DATA), None)
        else:
            _check_unchanged(absolute, stat, fd)
            hashed = _split(fd, absolute, stat.size, put)
            _check_unchanged(absolute, stat, fd)
    finally:
        os.close(fd)
    return hashed


def _open(absolute: str) -> int:
    """Open a file; a link is followed only where the walk took it for the file it leads to.

    Whether it still leads there is what comparing states tells.
    """
    try:
        return os.open(absolute, _FLAGS | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise fault(absolute, error) from error
    try:
        return os.open(absolute, _FLAGS)
    except OSError as error:
        raise fault(absolute, error) from error


def _read_whole(fd: int, absolute: str, stat: Stat) -> bytes:
    """A small file in one call, and checked by one more: there are many of them."""
    try:
        data = os.read(fd, stat.size + 1)
    except OSError as error:
        _check_unchanged(absolute, stat, fd)  # a FIFO or a folder by now?
        raise fault(absolute, error) from error
    _check_unchanged(absolute, stat, fd)
    if len(data) != stat.size:
        raise changing(absolute)
    return data


def _split(fd: int, absolute: str, size: int, put: Put) -> Hashed:
    with open(fd, "rb", buffering=0, closefd=False) as f:
        added = split(_Source(f, absolute), put)
    if added.size != size:
        raise changing(absolute)
    return Hashed(added.id, added.recipe)


class _Source:
    """An open file whose faults are told apart from those of where its bytes go."""

    def __init__(self, file: io.FileIO, absolute: str) -> None:
        self._file = file
        self._absolute = absolute

    def read(self, n: int, /) -> bytes:
        try:
            return self._file.read(n) or b""
        except OSError as error:
            raise fault(self._absolute, error) from error


def _check_unchanged(absolute: str, stat: Stat, fd: int) -> None:
    if not stat.is_that_of(os.fstat(fd)):
        raise changing(absolute)


def changing(absolute: str) -> ChangingFileError:
    """The error for what isn't any more what it was when it was looked at."""
    return ChangingFileError(
        f"{absolute} changed while it was read",
        hint="Wait until nothing writes to it, and run the command again",
    )


def fault(absolute: str, error: OSError) -> PivotError:
    """What an error of reading a file or folder means to the user."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return changing(absolute)
    if isinstance(error, PermissionError):
        return DeniedError(
            f"{absolute} can't be read",
            why=error.strerror,
            hint=f"Make it readable with `chmod -R u+rX {absolute}`",
        )
    if error.errno == errno.ELOOP:
        return unsupported(absolute, stat_.S_IFLNK)
    return PivotError(f"{absolute} can't be read", why=error.strerror)


def unsupported(path: str, mode: int) -> UnsupportedFileError:
    """The error for what is neither a plain file nor a directory."""
    kind = "a symbolic link" if stat_.S_ISLNK(mode) else "no plain file or directory"
    return UnsupportedFileError(
        f"{path} is {kind}, which can't be stored",
        hint="Put a copy in its place, or link to a file inside the same directory",
    )
