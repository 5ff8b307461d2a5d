"""A directory as storage: a disk, an NFS mount, a shared cache.

Spoken to directly, not through fsspec's local file system: that one moves finished files between
file systems by copying and never syncs, so a reader could see half an object and a power cut
could leave one.
"""

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from io import FileIO
from typing import Final

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import Truncated
from pivot_remotes.keys import check_key, check_prefix, is_key, temporary_key
from pivot_remotes.landing import BLOCK, blocks, new_file, source_file
from pivot_remotes.oserrors import translated
from pivot_remotes.small import check_size

_CAPABILITIES: Final = Capabilities(can_list=True, can_write=True, atomic_put=True, ranges=True)


class DirectoryBackend:
    """Objects as files below the absolute path `root`, which is created at the first put.

    Symbolic links below the root are neither listed nor followed to a file.
    """

    __slots__ = ("_root",)

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") or "/"

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def address(self) -> str:
        return self._root

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        with translated(self.address, folder):
            found = [info for info in _walk(self._path(folder), folder) if is_key(info.key)]
        return sorted(found, key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with translated(self.address, key), self._open(key) as file:
            data = _pread(file.fileno(), start, length)
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        with translated(self.address, key), self._open(key) as file:
            check_size(os.fstat(file.fileno()).st_size, key, self.address)
            return file.readall()

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        with (
            translated(self.address, key),
            self._open(key) as file,
            new_file(path, limit) as write,
        ):
            while block := file.read(BLOCK):
                write(block)

    def put(self, key: str, data: bytes) -> None:
        with translated(self.address, key), self._replacing(key) as file:
            _write(file, data)

    def put_file(self, key: str, path: str) -> None:
        with (
            translated(self.address, key),
            source_file(path) as source,
            self._replacing(key) as file,
        ):
            for block in blocks(source):
                _write(file, block)

    def delete(self, key: str) -> None:
        path = self._path(check_key(key))
        with (
            translated(self.address, key),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
        ):
            os.unlink(path)

    def delete_all(self, keys: Iterable[str]) -> None:
        for key in [check_key(key) for key in keys]:
            self.delete(key)

    def _path(self, key: str) -> str:
        return os.path.join(self._root, key) if key else self._root

    def _open(self, key: str) -> FileIO:
        # O_NONBLOCK: opening a FIFO that someone left there must not wait for its writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self._path(check_key(key)), flags)
        try:
            return FileIO(fd, "rb")
        except OSError:  # it is a directory
            os.close(fd)
            raise

    @contextlib.contextmanager
    def _replacing(self, key: str) -> Iterator[FileIO]:
        """A new file that gets the name `key`, synced, when the block succeeds."""
        final = self._path(check_key(key))
        temporary = self._path(temporary_key(key))
        _make_folder(os.path.dirname(final))
        file = FileIO(temporary, "xb")
        try:
            with file:
                yield file
                os.fsync(file.fileno())
            os.replace(temporary, final)
        except BaseException:  # an interrupt, too, leaves no temporary
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(os.path.dirname(final))


def _walk(path: str, key: str) -> Iterator[ObjectInfo]:
    """Every regular file below `path`, whose key is `key`."""
    try:
        entries = os.scandir(path)
    except FileNotFoundError:  # never made, or removed while we looked
        return
    with entries:
        for entry in entries:
            name = f"{key}/{entry.name}" if key else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, name)
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    yield ObjectInfo(name, status.st_size, status.st_mtime)


def _pread(fd: int, start: int, length: int) -> bytes:
    """Up to `length` bytes from `start`: fewer only where the file ends."""
    data = bytearray()
    while len(data) < length and (block := os.pread(fd, length - len(data), start + len(data))):
        data += block
    return bytes(data)


def _write(file: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _make_folder(path: str) -> None:
    """Create a folder and its missing parents, each durable in its parent."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        _make_folder(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)
        _sync_folder(parent)
    if not os.path.isdir(path):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def _sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network file systems can't sync a directory; their renames are the server's care.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)
