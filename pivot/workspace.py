"""What lies in the workspace, as contents; read again only where something changed.

A file is taken for granted while its times, size, inode and mode are those of when it was read; a
directory while a digest over the states of all its files is. Racily clean files never are.
"""

import os
import stat as stat_
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from blake3 import blake3

from pivot.errors import PivotError
from pivot.files import TEMPORARY_PREFIX, Stat
from pivot.hashing import ObjectId
from pivot.paths import PathError, RepoPath, TreePath
from pivot.state import FileRow, Hashed, HashedDirectory, State, is_racy, settle
from pivot.store.content import Content, ContentType
from pivot.store.split import Put, identify, split
from pivot.store.tree import TreeEntry, encode_line

if TYPE_CHECKING:
    from pivot.store.writer import Writer

type Has = Callable[[ObjectId], bool]

_STATE = struct.Struct("<qqQQI")


class UnsupportedFileError(PivotError):
    """Something in a dep or out that is no plain file or directory, or has no usable name."""

    code = "unsupported_file"


class Workspace:
    """Reads files below `root`, the project's absolute path, with the memory of `state`."""

    def __init__(self, root: str, state: State) -> None:
        self.root = root
        self._state = state

    def absolute(self, path: RepoPath) -> str:
        """Where `path` is on this machine."""
        return self.root if path == RepoPath.ROOT else os.path.join(self.root, path)

    def content(self, path: RepoPath) -> Content | None:
        """What `path` holds now, a link at its end followed; None where nothing is."""
        absolute = self.absolute(path)
        stat = follow(absolute)
        if stat is None:
            return None
        if stat.is_dir:
            return self._directory(path, identify, _has_all)
        if not stat.is_file:
            raise _unsupported(path, stat.mode)
        return _file_content(self._read(path, stat, identify, _has_all), stat)

    def store(self, path: RepoPath, writer: "Writer") -> Content:
        """Add what `path` holds to the store, and say what it is.

        Raises `FileNotFoundError` where nothing is, `UnsupportedFileError` for links and others.
        """
        absolute = self.absolute(path)
        stat = Stat.of(os.lstat(absolute))
        if stat.is_dir:
            return self._directory(path, writer.add_bytes, writer.has)
        if not stat.is_file:
            raise _unsupported(path, stat.mode)
        known = self._read(path, stat, writer.add_bytes, writer.has)
        return _file_content(known, stat)

    def file_id(self, path: str) -> ObjectId | None:
        """The id of a file, links followed, `path` relative to the project; None without one."""
        stat = follow(os.path.join(self.root, path))
        if stat is None or not stat.is_file:
            return None
        return self._read(path, stat, identify, _has_all).id

    def files(self, folder: RepoPath) -> Iterator[tuple[str, Content]]:
        """Each file of a directory as (path below the project, content), in the tree's order."""
        for name, stat in walk(self.absolute(folder)):
            if stat is not None:
                path = f"{folder}/{name}"
                yield path, _file_content(self._read(path, stat, identify, _has_all), stat)

    def _read(self, path: str, stat: Stat, put: Put, has: Has) -> Hashed:
        """Hand a file's entries to `put`, unless they are known and had.

        `path` may be a name of any form below the project, as the file system gave it.
        """
        known = self._state.file(path, stat)
        if known is None or not has(known.recipe or known.id):
            settle(stat)
            known = _split_file(os.path.join(self.root, path), stat, put)
            self._state.record_files([(path, stat, known)])
        return known

    def _directory(self, path: RepoPath, put: Put, has: Has) -> Content:
        known = self._state.directory(path)
        if (
            known is not None
            and has(known.recipe or known.id)
            and known.digest == self.digest(path)
        ):
            return _directory_content(known)
        listing = _Listing(self.absolute(path), self._state.files_below(path), path, put, has)
        added = split(listing, put)
        hashed = HashedDirectory(
            listing.digest, added.id, added.recipe, listing.size, listing.files
        )
        self._state.record_files(listing.fresh)
        self._state.forget_files(listing.gone)
        if not listing.racy:
            self._state.record_directory(path, hashed)
        return _directory_content(hashed)

    def digest(self, path: RepoPath) -> bytes:
        """A digest over the names and states of all files in a directory: nothing is read."""
        hasher = blake3()
        for name, stat in walk(self.absolute(path)):
            hasher.update(_state_bytes(name, stat))
        return hasher.digest()


class _Listing:
    """The tree of a directory as a stream; files are read on the way, where they must be."""

    def __init__(
        self, root: str, known: Iterator[FileRow], folder: RepoPath, put: Put, has: Has
    ) -> None:
        self._root = root
        self._folder = folder
        self._put = put
        self._has = has
        self._known = known
        self._next_known = next(known, None)
        self._lines = self._make_lines()
        self._buffer = bytearray()
        self._hasher = blake3()
        self.fresh: list[FileRow] = []
        self.gone: list[str] = []
        self.size = 0
        self.files = 0
        self.racy = False

    @property
    def digest(self) -> bytes:
        return self._hasher.digest()

    def read(self, n: int, /) -> bytes:
        """Up to `n` bytes of the tree."""
        while len(self._buffer) < n and (line := next(self._lines, None)) is not None:
            self._buffer += line
        part = bytes(self._buffer[:n])
        del self._buffer[:n]
        return part

    def _make_lines(self) -> Iterator[bytes]:
        for name, stat in walk(self._root):
            try:
                path = TreePath(name)
            except PathError as error:
                raise UnsupportedFileError(
                    f"{self._folder}: {error}", hint="Rename the file, or keep it elsewhere"
                ) from error
            self._hasher.update(_state_bytes(name, stat))
            content = None if stat is None else self._content(name, stat)
            yield encode_line(TreeEntry(path, content))
        self._forget_before(None)

    def _content(self, name: str, stat: Stat) -> Content:
        key = f"{self._folder}/{name}"
        known = self._remembered(key, stat)
        if known is None or not self._has(known.recipe or known.id):
            settle(stat)
            known = _split_file(os.path.join(self._root, name), stat, self._put)
            self.fresh.append((key, stat, known))
            self.racy = self.racy or is_racy(stat)
        self.size += stat.size
        self.files += 1
        return _file_content(known, stat)

    def _remembered(self, key: str, stat: Stat) -> Hashed | None:
        """Both the walk and the memory are in the order of paths: one step each."""
        self._forget_before(key)
        row = self._next_known
        if row is None or row[0] != key:
            return None
        self._next_known = next(self._known, None)
        return row[2] if row[1] == stat else None

    def _forget_before(self, key: str | None) -> None:
        """Remembered files that the walk passed by (all, without `key`) are gone."""
        while self._next_known is not None and (key is None or self._next_known[0] < key):
            self.gone.append(self._next_known[0])
            self._next_known = next(self._known, None)


def walk(root: str, prefix: str = "") -> Iterator[tuple[str, Stat | None]]:
    """Every file below `root` as (path, state), and every empty directory as (path, None).

    In the order of the paths' bytes, as trees are sorted. Links to files inside `root` count as
    those files; other links, and what is neither file nor directory, raise.
    """
    for key, entry in sorted(_scan(os.path.join(root, prefix))):
        name = prefix + entry.name
        if key.endswith("/"):
            yield from walk(root, f"{name}/")
        elif entry.is_dir(follow_symlinks=False):
            yield name, None
        else:
            yield name, _entry_stat(root, name, entry)


def _scan(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The entries of a folder with their sort keys: directories with something in them end in /."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX):
                continue
            full = entry.is_dir(follow_symlinks=False) and not _is_empty(entry.path)
            yield (f"{entry.name}/" if full else entry.name), entry


def _is_empty(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def _entry_stat(root: str, name: str, entry: os.DirEntry[str]) -> Stat:
    stat = Stat.of(entry.stat(follow_symlinks=False))
    if stat.is_link:
        target = os.path.realpath(entry.path)
        if target.startswith(os.path.realpath(root) + "/") and os.path.isfile(target):
            return Stat.of(os.stat(target))
    if not stat.is_file:
        raise _unsupported(name, stat.mode)
    return stat


def follow(absolute: str) -> Stat | None:
    """The state of a file or directory, links followed; None where nothing is."""
    try:
        return Stat.of(os.stat(absolute))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _split_file(absolute: str, stat: Stat, put: Put) -> Hashed:
    """Hand a file's entries to `put`; raises if it changed while it was read."""
    flags = 0 if os.path.islink(absolute) else os.O_NOFOLLOW
    fd = os.open(absolute, os.O_RDONLY | os.O_CLOEXEC | flags)
    with open(fd, "rb", buffering=0) as f:
        added = split(f, put)
        _check_unchanged(absolute, stat, fd)
    return Hashed(added.id, added.recipe)


def _check_unchanged(absolute: str, stat: Stat, fd: int) -> None:
    if Stat.of(os.fstat(fd)) != stat:
        raise PivotError(
            f"{absolute} changed while it was read",
            hint="Wait until nothing writes to it, and run the command again",
        )


def _has_all(_: ObjectId) -> bool:
    return True


def _file_content(hashed: Hashed, stat: Stat) -> Content:
    kind = ContentType.EXECUTABLE if stat.is_executable else ContentType.FILE
    return Content(kind, hashed.id, stat.size, hashed.recipe)


def _directory_content(known: HashedDirectory) -> Content:
    return Content(ContentType.DIRECTORY, known.id, known.size, known.recipe, known.files)


def _state_bytes(name: str, stat: Stat | None) -> bytes:
    encoded = name.encode("utf-8", "surrogateescape")
    if stat is None:
        return b"d" + encoded + b"\0"
    state = _STATE.pack(stat.mtime_ns, stat.ctime_ns, stat.size, stat.inode, stat.mode)
    return encoded + b"\0" + state


def _unsupported(path: str, mode: int) -> UnsupportedFileError:
    kind = "a symbolic link" if stat_.S_ISLNK(mode) else "no plain file or directory"
    return UnsupportedFileError(
        f"{path} is {kind}, which can't be stored",
        hint="Put a copy in its place, or link to a file inside the same directory",
    )
