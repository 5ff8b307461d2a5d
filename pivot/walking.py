"""Walking the folders of the workspace: what lies in them, a folder at a time.

A folder costs one listing and one `lstat` a file, each relative to the open folder, and no object
of our own for a file: re-checking a large directory that didn't change is all that most commands
do with it.
"""

import os
import stat as stat_
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import starmap
from operator import attrgetter
from typing import NamedTuple

from blake3 import blake3

from pivot.files import TEMPORARY_PREFIX, Stat
from pivot.paths import PathError, check_names
from pivot.reading import UnsupportedFileError, changing, fault, unsupported

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A state as `Stat` has its fields: times in nanoseconds, size in bytes, inode, mode.
type _State = tuple[int, int, int, int, int]
_state = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino", "st_mode")
_pack = struct.Struct("<qqQQI").pack

# Files that we linked, by inode: their ctime before, and since; None where it may be any.
type Linked = Mapping[int, tuple[int, int | None]]


class Folder(NamedTuple):
    """One folder as it was when it was listed; what is to be ignored is left out.

    Attributes:
        prefix: the folder below the root, with `/` at its end; empty for the root itself.
        names: of the files, in the order of their bytes.
        states: of the files, in the names' order. A link has the state of what it leads to.
        folders: the names of the folders in it, in the order in which their files come in a tree.
    """

    prefix: str
    names: list[str]
    states: list[_State]
    folders: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.names or self.folders)


class StateDigest:
    """A digest over the names and states of all files below a root, folder after folder."""

    def __init__(self) -> None:
        self._hasher = blake3()

    def add(self, folder: Folder) -> None:
        """Take in the next folder. One that is empty is known from its parent's record."""
        if folder.is_empty:
            return
        text = "\0".join((folder.prefix, *folder.names, *folder.folders)).encode()
        head = b"%d %d %d\0" % (len(text), len(folder.names), len(folder.folders))
        self._hasher.update(head + text)
        self._hasher.update(b"".join(starmap(_pack, folder.states)))

    def value(self) -> bytes:
        """The digest of what was added so far: 32 bytes."""
        return self._hasher.digest()


def digest(root: str, where: str, linked: Linked | None = None) -> bytes:
    """The digest of a directory as it is now: nothing is read. `where` is its name in messages.

    Files that are `linked` count with the ctime from before, unless they have yet another by now.
    """
    found = StateDigest()
    left = [""]
    while left:
        folder = read_folder(root, where, left.pop())
        found.add(_before(folder, linked) if linked else folder)
        left += [f"{folder.prefix}{name}/" for name in reversed(folder.folders)]
    return found.value()


def _before(folder: Folder, linked: Linked) -> Folder:
    """A folder with the states that its files had before they were linked."""
    states = []
    for state in folder.states:
        mtime, ctime, size, inode, mode = state
        before, since = linked.get(inode, (ctime, None))
        is_ours = since is None or since == ctime
        states.append((mtime, before, size, inode, mode) if is_ours else state)
    return folder._replace(states=states)


def walk(
    root: str, where: str, seen: Callable[[Folder], None] = lambda _: None
) -> Iterator[tuple[str, Stat | None]]:
    """Every file below `root` as (path, state), and every empty directory as (path, None).

    In the order of the paths' bytes, as trees are sorted. Links to files inside `root` count as
    those files; other links, and what is neither file nor directory, raise. `seen` is handed each
    folder as it is listed, in the order of `digest`.
    """
    return _walk(root, where, seen, read_folder(root, where, ""))


def _walk(
    root: str, where: str, seen: Callable[[Folder], None], folder: Folder
) -> Iterator[tuple[str, Stat | None]]:
    seen(folder)
    entries: list[tuple[str, _State | None]] = [*zip(folder.names, folder.states, strict=True)]
    for name in folder.folders:
        is_empty = _is_empty(os.path.join(root, folder.prefix, name))
        entries.append((name if is_empty else f"{name}/", None))
    for name, state in sorted(entries, key=lambda entry: entry[0]):
        path = folder.prefix + name
        if not name.endswith("/"):
            yield path, None if state is None else Stat(*state)
            continue
        inner = read_folder(root, where, path)
        if inner.is_empty:  # by now: the digest would belong to a listing that lacks it
            raise changing(os.path.join(root, path))
        yield from _walk(root, where, seen, inner)


def read_folder(root: str, where: str, prefix: str) -> Folder:
    """List one folder. Raises for what can't be stored, naming it below `where`."""
    path = os.path.join(root, prefix)
    try:
        # Below the root nothing is followed: a slash at the end would do so.
        fd = os.open(path.rstrip("/"), _FOLDER | (os.O_NOFOLLOW if prefix else 0))
    except OSError as error:
        raise fault(path.rstrip("/"), error) from error
    try:
        names = _names(fd, path)
        try:
            check_names(prefix, names)
        except PathError as error:
            raise UnsupportedFileError(
                f"{where}: {error}", hint="Rename the file, or keep it elsewhere"
            ) from error
        try:
            states = list(map(_state, map(partial(os.lstat, dir_fd=fd), names)))
        except OSError as error:
            raise fault(os.path.join(path, str(error.filename)), error) from error
    finally:
        os.close(fd)
    return _sorted_out(root, prefix, names, states)


def _names(fd: int, path: str) -> list[str]:
    try:
        names = sorted(os.listdir(fd))
    except OSError as error:
        raise fault(path, error) from error
    first = end = bisect_left(names, TEMPORARY_PREFIX)  # ours are side by side
    while end < len(names) and names[end].startswith(TEMPORARY_PREFIX):
        end += 1
    del names[first:end]
    return names


def _sorted_out(root: str, prefix: str, names: list[str], states: list[_State]) -> Folder:
    """Part files from folders, and resolve links."""
    if all(map(stat_.S_ISREG, {mode for *_, mode in states})):
        return Folder(prefix, names, states, [])
    found = Folder(prefix, [], [], [])
    for name, state in zip(names, states, strict=True):
        mode = state[-1]
        if stat_.S_ISDIR(mode):
            found.folders.append(name)
            continue
        is_link = stat_.S_ISLNK(mode)
        if not (is_link or stat_.S_ISREG(mode)):
            raise unsupported(prefix + name, mode)
        found.names.append(name)
        found.states.append(_target(root, prefix + name, mode) if is_link else state)
    found.folders.sort(key=lambda name: f"{name}/")
    return found


def _target(root: str, name: str, mode: int) -> _State:
    """The state of the file that a link leads to; it must lie inside the root."""
    path = os.path.join(root, name)
    try:
        target = os.path.realpath(path)
        if target.startswith(os.path.realpath(root) + "/") and os.path.isfile(target):
            return _state(os.stat(target))
    except OSError as error:
        raise fault(path, error) from error
    raise unsupported(name, mode)


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return all(entry.name.startswith(TEMPORARY_PREFIX) for entry in entries)
    except OSError as error:
        raise fault(folder, error) from error
