"""Putting files in place without following links: a staging folder, and verified names.

Everything is opened relative to a directory that is already open, so a link that someone swaps in
for a folder, at any depth and any time, is an error and never a way out of the project.
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import time
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Self

from pivot.errors import PivotError
from pivot.paths import RepoPath, TreePath

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Staging folders; claims and others lie beside them.
_NAME = re.compile(r"[0-9a-f]{16}")
_YOUNG_S = 60
_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkInTheWayError(PivotError):
    """A folder on the way to a path is a symbolic link; nothing was written through it."""

    code = "link_in_the_way"


class CollisionError(PivotError):
    """Two names that this file system can't tell apart."""

    code = "collision"


class Staging:
    """A fresh folder below `.pivot/tmp`, removed at the end with whatever is left in it."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    @classmethod
    @contextlib.contextmanager
    def make(cls, project: str) -> Iterator[Self]:
        """A staging folder of the project at the absolute path `project`.

        Raises `LinkInTheWayError` where `.pivot` or its `tmp` is a link.
        """
        name = os.urandom(8).hex()
        with _walk_down(project, (".pivot", "tmp"), ".pivot/tmp") as parent:
            _sweep(parent)
            os.mkdir(name, dir_fd=parent)
            fd = os.open(name, _DIRECTORY, dir_fd=parent)
            try:
                _claim(fd)
                yield cls(os.path.join(project, ".pivot", "tmp", name), fd)
            finally:
                os.close(fd)
                _remove(name, parent)

    def create(self, name: str, *, executable: bool) -> int:
        """A new file in the staging folder, open for writing."""
        return os.open(name, _FILE, 0o777 if executable else 0o666, dir_fd=self.fd)

    @contextlib.contextmanager
    def make_folder(self, name: str) -> Iterator[int]:
        """A new folder in the staging folder, open; what had its name is removed."""
        _remove(name, self.fd)
        os.mkdir(name, dir_fd=self.fd)
        fd = os.open(name, _DIRECTORY, dir_fd=self.fd)
        try:
            yield fd
        finally:
            os.close(fd)


def _claim(fd: int) -> bool:
    """Take an flock on a staging folder; it ends with the last process that has it open."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another's, or a file system without
        return False
    return True


def _sweep(parent: int) -> None:
    """Remove the staging folders of processes that were killed."""
    for name in os.listdir(parent):
        if not _NAME.fullmatch(name):
            continue
        with contextlib.suppress(OSError):
            fd = os.open(name, _DIRECTORY, dir_fd=parent)
            try:
                # One that was just made may not be claimed yet.
                if os.fstat(fd).st_mtime < time.time() - _YOUNG_S and _claim(fd):
                    _remove(name, parent)
            finally:
                os.close(fd)


class Folders:
    """The folders of a tree below an open one, entered in the tree's order, each opened once.

    With `make` they are made on the way. In a `fresh` place one that is there already is another
    name's: the file system takes the two for one.
    """

    def __init__(self, fd: int, *, make: bool, fresh: bool = True) -> None:
        self._make = make
        self._fresh = fresh
        self._open: list[tuple[str, int]] = [("", fd)]
        self._at = ""

    def enter(self, folder: str) -> int:
        """The descriptor of a folder, `a/b`, or the top one's for an empty name.

        Raises `CollisionError`; without `make` the `OSError` that says why it can't be entered.
        """
        if folder == self._at:
            return self._open[-1][1]
        names = folder.split("/") if folder else []
        depth = 0
        while depth < min(len(names), len(self._open) - 1) and (
            self._open[depth + 1][0] == names[depth]
        ):
            depth += 1
        self._leave(depth)
        for name in names[depth:]:
            self._open.append((name, self._step(name)))
            self._at = "/".join(inner for inner, _ in self._open[1:])
        return self._open[-1][1]

    def _step(self, name: str) -> int:
        parent = self._open[-1][1]
        if self._make:
            try:
                os.mkdir(name, dir_fd=parent)
            except FileExistsError as error:
                if self._fresh:
                    path = "/".join([*(n for n, _ in self._open[1:]), name])
                    raise _collision(path, name, parent) from error
        return os.open(name, _DIRECTORY, dir_fd=parent)

    def _leave(self, depth: int) -> None:
        while len(self._open) - 1 > depth:
            os.close(self._open.pop()[1])
        self._at = "/".join(name for name, _ in self._open[1:])

    def close(self) -> None:
        """Close all but the top one."""
        self._leave(0)


def move_beside(name: str, source: int, target: int) -> None:
    """Give a file its place if nothing is there by now."""
    try:
        os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        try:
            os.lstat(name, dir_fd=target)
        except FileNotFoundError:
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)


def create(path: TreePath, folder: int, *, executable: bool) -> int:
    """A new file of a tree in its open folder, open for writing.

    Raises `CollisionError` if its name is taken.
    """
    name = path.rpartition("/")[2]
    try:
        return os.open(name, _FILE, 0o777 if executable else 0o666, dir_fd=folder)
    except FileExistsError as error:
        raise _collision(path, name, folder) from error


@contextlib.contextmanager
def open_parent(project: str, path: RepoPath) -> Iterator[tuple[int, str]]:
    """The folder of `path`, opened link by link and made where missing, and the last name.

    Raises `LinkInTheWayError` if a component on the way is a link.
    """
    *folders, name = path.split("/")
    with _walk_down(project, folders, path) as fd:
        yield fd, name


@contextlib.contextmanager
def open_folder(project: str, path: RepoPath) -> Iterator[int]:
    """The directory at `path`, opened link by link.

    Raises `LinkInTheWayError` if a component on the way is a link, and `OSError` where no
    directory is.
    """
    with open_parent(project, path) as (parent, last):
        fd = os.open(last, _DIRECTORY, dir_fd=parent)
        try:
            yield fd
        finally:
            os.close(fd)


@contextlib.contextmanager
def _walk_down(project: str, folders: Sequence[str], goal: str) -> Iterator[int]:
    """Open folder after folder from the project's root; `goal` is what messages name."""
    fd = os.open(project, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, dir_fd=fd)
            try:
                inner = os.open(folder, _DIRECTORY, dir_fd=fd)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise
                raise LinkInTheWayError(
                    f"{goal} can't be written",
                    why=f"{folder} on the way to it is a link or a file",
                    hint="Move the data into the project, or give the out another path",
                ) from error
            os.close(fd)
            fd = inner
        yield fd
    finally:
        os.close(fd)


def move_in(staging: Staging, name: str, project: str, path: RepoPath) -> None:
    """Give a finished file or folder of the staging folder its place, replacing what is there.

    A file replaces a file in one step. A folder that is replaced is moved into the staging folder
    first; should we die in between, the bytes are in the store.
    """
    with open_parent(project, path) as (parent, last):
        if not (_is_folder(parent, last) or _is_folder(staging.fd, name)):
            os.rename(name, last, src_dir_fd=staging.fd, dst_dir_fd=parent)
            return
        old = f"{name}.old"
        with contextlib.suppress(FileNotFoundError):
            _move_away(last, parent, old, staging.fd)
        try:
            os.rename(name, last, src_dir_fd=staging.fd, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.rename(old, last, src_dir_fd=staging.fd, dst_dir_fd=parent)
            raise


def _move_away(name: str, parent: int, new: str, target: int) -> None:
    """Rename what is to go; a folder that its owner may not write is made writable for that."""
    try:
        os.rename(name, new, src_dir_fd=parent, dst_dir_fd=target)
    except PermissionError:
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            os.fchmod(fd, 0o700)
        finally:
            os.close(fd)
        os.rename(name, new, src_dir_fd=parent, dst_dir_fd=target)


def _remove(name: str, parent: int) -> None:
    """Remove a folder with all in it, folders that may not be written too."""
    shutil.rmtree(name, ignore_errors=True, dir_fd=parent)
    with contextlib.suppress(FileNotFoundError):
        os.lstat(name, dir_fd=parent)
        for _, _, _, fd in os.fwalk(name, dir_fd=parent):
            os.fchmod(fd, 0o700)
        shutil.rmtree(name, ignore_errors=True, dir_fd=parent)


def _is_folder(parent: int, name: str) -> bool:
    try:
        os.close(os.open(name, _DIRECTORY, dir_fd=parent))
    except OSError:
        return False
    return True


def _collision(path: str, name: str, fd: int) -> CollisionError:
    folded = unicodedata.normalize("NFC", name).casefold()
    other = next(
        (n for n in os.listdir(fd) if unicodedata.normalize("NFC", n).casefold() == folded), name
    )
    return CollisionError(
        f"this file system can't hold both {str(path)!r} and {other!r}",
        why="it takes the two names for one",
        hint="Check out on a case-sensitive file system, or rename one where it is made",
    )
