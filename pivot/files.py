"""Files on disk: atomic writes, syncing, locks, and opening without following links."""

import contextlib
import errno
import fcntl
import os
import stat as stat_
from collections.abc import Iterator
from typing import NamedTuple, Self

from pivot.errors import DeniedError, IntegrityError, LockedError

TEMPORARY_PREFIX = ".pivot-tmp-"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class NoLocksError(LockedError):
    """A file system that can't lock files, as some network file systems."""

    code = "no_locks"


class Stat(NamedTuple):
    """What tells one state of a file from the next without reading it.

    A tuple, since there is one for each file. Times are in nanoseconds since the epoch, `size` in
    bytes; `mode` holds type and permissions.
    """

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    mode: int

    @classmethod
    def of(cls, result: os.stat_result) -> Self:
        return cls(
            result.st_mtime_ns, result.st_ctime_ns, result.st_size, result.st_ino, result.st_mode
        )

    def is_that_of(self, result: os.stat_result) -> bool:
        """Whether `result` is of this very state."""
        return (
            self.mtime_ns == result.st_mtime_ns
            and self.ctime_ns == result.st_ctime_ns
            and self.size == result.st_size
            and self.inode == result.st_ino
            and self.mode == result.st_mode
        )

    @property
    def is_dir(self) -> bool:
        return stat_.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return stat_.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        return stat_.S_ISLNK(self.mode)

    @property
    def is_executable(self) -> bool:
        return bool(self.mode & stat_.S_IXUSR)


def lstat(path: str) -> Stat | None:
    """The state of `path` itself (links are not followed); None where nothing is there."""
    try:
        return Stat.of(os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def folder_identity(path: str) -> str:
    """What tells a folder that was made here from one that came with a clone or a copy.

    Its inode number: whoever writes a repository can't know the one that a clone of it gets.
    """
    return str(os.stat(path).st_ino)


def open_nofollow(path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """Open a file whose last component must not be a link; the descriptor is close-on-exec."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def open_regular(path: str) -> int:
    """Open a plain file for reading: not through a link, and no FIFO, which would block.

    Raises `IntegrityError` for whatever else has its name.
    """
    try:
        fd = open_nofollow(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _no_file(path) from error
        raise
    if not stat_.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _no_file(path)
    return fd


def refuse_link(folder: str) -> None:
    """Raise `DeniedError` for a folder that is a link: a clone could bring one, to anywhere."""
    if os.path.islink(folder):
        raise DeniedError(
            f"{folder} is a symbolic link",
            why="Pivot writes there, and a link could lead anywhere",
            hint=f"Remove it with `rm {folder}`",
        )


def _no_file(path: str) -> IntegrityError:
    return IntegrityError(f"{path} is no plain file", why="a link or something else has its name")


def fsync_dir(path: str) -> None:
    """Make renames in a directory durable; file systems that can't are let be."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def temporary_name(final: str) -> str:
    """A name beside `final` that no other process uses."""
    head, tail = os.path.split(final)
    return os.path.join(head, f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}-{tail[:64]}")


def write_atomic(
    path: str, data: bytes, *, sync: bool = True, mode: int = 0o666, exact: bool = False
) -> None:
    """Replace `path` by `data`: afterwards it is the old file or the new one, never half.

    With `sync` the new content is on disk before it gets its name, and the name before this
    returns. The umask takes from `mode`, unless it is `exact`.
    """
    temporary = temporary_name(path)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(fd, "wb") as f:
            f.write(data)
            f.flush()
            if exact:
                os.fchmod(f.fileno(), mode)
            if sync:
                os.fsync(f.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if sync:
        fsync_dir(os.path.dirname(path) or ".")


@contextlib.contextmanager
def locked(
    path: str, *, shared: bool = False, wait: bool = True, holder: str = ""
) -> Iterator[int]:
    """Hold an flock on `path` (created when absent) for the length of the block; yields its fd.

    `holder` is written into an exclusively locked file, for whoever waits to read. Raises
    `LockedError` when the lock is held elsewhere and `wait` is false, `NoLocksError` on a file
    system that has none.
    """
    fd = _open_lock(path, shared=shared)
    try:
        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(fd, operation | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise LockedError(f"{path} is held by {lock_holder(path)}") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise NoLocksError(
                f"{path} can't be locked", why="this file system has no locks"
            ) from error
        if not shared:
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()} {holder}\n".encode(), 0)
        yield fd
        if not shared:
            os.ftruncate(fd, 0)  # whoever is held up next isn't to be told our name
    finally:
        os.close(fd)


def _open_lock(path: str, *, shared: bool) -> int:
    """Open a file to lock it: a clone could bring a link, and we truncate."""
    try:
        return open_nofollow(path, os.O_RDWR | os.O_CREAT)
    except PermissionError:
        if not shared:
            raise
        return open_nofollow(path)  # another user's: reading is enough to share it


def lock_holder(path: str) -> str:
    """Who wrote their name into a lock file: `process 123 (repro)`, for messages only."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            pid, _, what = f.readline().strip().partition(" ")
    except OSError:
        return "another process"
    return f"process {pid} ({what})" if pid else "another process"
