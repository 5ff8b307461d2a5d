"""Local files at either end of a transfer, whose errors are not the storage's."""

import contextlib
import os
from collections.abc import Buffer, Callable, Iterator
from io import FileIO

from pivot_remotes.errors import DiskRefused, Overlong

BLOCK = 1 << 20


@contextlib.contextmanager
def new_file(path: str, limit: int | None = None) -> Iterator[Callable[[Buffer], None]]:
    """Yield a function that appends to a file that must not exist; it is removed on failure.

    Raises `DiskRefused` where the local file system refuses, so that a full disk here is not
    taken for a fault of the storage; and `Overlong` for more than `limit` bytes, since an object
    that was put there to fill the disk has no end.
    """
    size = 0
    try:
        file = FileIO(path, "xb")
    except OSError as error:
        raise _refused(path, "written", error) from error

    def write(data: Buffer) -> None:
        nonlocal size
        rest = memoryview(data)
        size += rest.nbytes
        if limit is not None and size > limit:
            raise Overlong(f"more came than the {limit} bytes that {path} may have")
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise _refused(path, "written", error) from error

    try:
        with file:
            yield write
    except BaseException:  # an interrupt, too, leaves no half file
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


@contextlib.contextmanager
def source_file(path: str) -> Iterator[FileIO]:
    """Open a local file to read; raises `DiskRefused` where it can't be opened."""
    try:
        file = FileIO(path, "rb")
    except OSError as error:
        raise _refused(path, "read", error) from error
    with file:
        yield file


def blocks(file: FileIO, size: int = BLOCK) -> Iterator[bytes]:
    """What is left in `file`, `size` bytes at a time; raises `DiskRefused` when reading fails."""
    while True:
        try:
            block = file.read(size)
        except OSError as error:
            raise _refused(str(file.name), "read", error) from error
        if not block:
            return
        yield block


def _refused(path: str, done: str, error: OSError) -> DiskRefused:
    return DiskRefused(f"{path} can't be {done}", why=error.strerror or str(error))
