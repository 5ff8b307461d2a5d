"""What lies in the workspace, as contents; read again only where something changed.

A file is taken for granted while its times, size, inode and mode are those of when it was read; a
directory while a digest over the states of all its files is. Racily clean files never are.
"""

import os
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, Protocol

from pivot.files import Stat, lstat
from pivot.hashing import ObjectId
from pivot.paths import RepoPath, TreePath
from pivot.reading import fault, follow, read_file, unsupported
from pivot.state import (
    WORTH_REMEMBERING,
    FileRow,
    Hashed,
    HashedDirectory,
    Memory,
    State,
)
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind, identify
from pivot.store.split import TREE, Put, split
from pivot.store.tree import TreeEntry, encode_line
from pivot.walking import Linked, StateDigest, digest, walk

type Has = Callable[[ObjectId], bool]

_REMEMBER_AT_ONCE = 1000


class Look(NamedTuple):
    """What a path held, and what tells whether it still does.

    Attributes:
        content: what was there, a link at the end followed; None where nothing was.
        state: of the file or link; of a directory the digest; None where nothing was.
    """

    content: Content | None
    state: Stat | bytes | None

    def shows(self, content: Content) -> bool:
        """Whether this is what was there."""
        now = self.content
        return now is not None and (now.id, now.type) == (content.id, content.type)


class Sink(Protocol):
    """Where entries go: a session of adding to a store, or what merely tells their ids."""

    def add_bytes(self, data: bytes, kind: Kind = ...) -> ObjectId:
        """Take one entry, and say what its id is."""
        ...

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry is there already, so that its file need not be read."""
        ...


class Identifier:
    """A sink that keeps nothing, and so needs nothing of what is known already."""

    def add_bytes(self, data: bytes, kind: Kind = Kind.DATA) -> ObjectId:
        return identify(data, kind)

    def has(self, id_: ObjectId) -> bool:  # noqa: ARG002 - a sink's signature
        return True


class Workspace:
    """Reads files below `root`, the project's absolute path, with the memory of `state`."""

    def __init__(self, root: str, state: State) -> None:
        self.root = root
        self._state = state

    def absolute(self, path: RepoPath) -> str:
        """Where `path` is on this machine."""
        return self.root if path == RepoPath.ROOT else f"{self.root}/{path}"

    def exists(self, path: RepoPath) -> bool:
        """Whether anything is at `path`; nothing is read."""
        return follow(self.absolute(path)) is not None

    def recall(self, paths: Collection[str]) -> None:
        """Prepare to look at many paths: what is known of them is read at once."""
        self._state.recall(paths)

    def content(self, path: RepoPath) -> Content | None:
        """What `path` holds now, a link at its end followed; None where nothing is."""
        return self.look(path).content

    def look(self, path: RepoPath) -> Look:
        """What `path` holds now, with what `holds_still` needs."""
        absolute = self.absolute(path)
        try:
            before = lstat(absolute)  # first: what changes later is to be noticed
        except OSError as error:
            raise fault(absolute, error) from error
        stat = follow(absolute) if before is None or before.is_link else before
        if stat is None:
            return Look(None, before)
        if stat.is_dir:
            known = self._directory(path, identify, _has_all)
            state = before if before is not None and before.is_link else known.digest
            return Look(_directory_content(known), state)
        if not stat.is_file:
            raise unsupported(path, stat.mode)
        content = _file_content(self._read(path, stat, identify, _has_all), stat)
        return Look(content, before)

    def holds_still(self, path: RepoPath, look: Look, linked: Linked | None = None) -> bool:
        """Whether `path` is as it was when it was looked at, or holds nothing any more.

        `linked`: files below it that were given a second name since. Nothing is read.
        """
        now = lstat(self.absolute(path))
        if now is None:
            return True
        if now.is_dir and isinstance(look.state, bytes):
            return look.state == digest(self.absolute(path), path, linked)
        return now == look.state

    def store(self, path: RepoPath, writer: Sink) -> Content:
        """Add what `path` holds to the store, and say what it is.

        Raises `FileNotFoundError` where nothing is, `UnsupportedFileError` for links and others.
        """
        absolute = self.absolute(path)
        stat = Stat.of(os.lstat(absolute))
        if stat.is_dir:
            return _directory_content(self._directory(path, writer.add_bytes, writer.has))
        if not stat.is_file:
            raise unsupported(path, stat.mode)
        known = self._read(path, stat, writer.add_bytes, writer.has)
        return _file_content(known, stat)

    def store_part(self, folder: RepoPath, part: TreePath, writer: Sink) -> Iterator[TreeEntry]:
        """Add what lies at `part` of a directory, and give its entries in the directory's tree.

        Nothing where nothing is. Raises `UnsupportedFileError` for links and others.
        """
        base, key = self.absolute(folder), f"{folder}/{part}"
        stat = lstat(os.path.join(base, part))
        if stat is None:
            return
        if not stat.is_dir:
            if not stat.is_file:
                raise unsupported(key, stat.mode)
            known = self._read(key, stat, writer.add_bytes, writer.has)
            yield TreeEntry(part, _file_content(known, stat))
            return
        is_empty = True
        for name, below in walk(os.path.join(base, part), key):
            is_empty = False
            path = TreePath(f"{part}/{name}")
            if below is None:
                yield TreeEntry(path, None)
            else:
                known = self._read(f"{key}/{name}", below, writer.add_bytes, writer.has)
                yield TreeEntry(path, _file_content(known, below))
        if is_empty:
            yield TreeEntry(part, None)

    def unread_size(self, path: RepoPath, part: str = "") -> int:
        """How many bytes of files at a path, or at `part` of it, would have to be read."""
        absolute = os.path.join(self.absolute(path), part)
        stat = lstat(absolute)
        if stat is None or not stat.is_dir:
            return 0 if stat is None else stat.size
        key = os.path.join(path, part).rstrip("/")
        below = ((name, s) for name, s in walk(absolute, key) if s is not None)
        return sum(s.size for name, s in below if self._state.file(f"{key}/{name}", s) is None)

    def file_id(self, path: str) -> ObjectId | None:
        """The id of a file, links followed, `path` relative to the project; None without one."""
        stat = follow(os.path.join(self.root, path))
        if stat is None or not stat.is_file:
            return None
        return self._read(path, stat, identify, _has_all).id

    def file_ids(self, paths: Collection[str]) -> dict[str, ObjectId | None]:
        """`file_id` of many files; quicker than to ask for each."""
        stats: dict[str, os.stat_result] = {}
        found: dict[str, ObjectId | None] = {}
        for path in paths:
            try:
                stats[path] = os.stat(f"{self.root}/{path}")
            except (FileNotFoundError, NotADirectoryError):
                found[path] = None
            except OSError:
                found[path] = self.file_id(path)  # says what is wrong
        found |= self._state.ids(stats)
        return found | {path: self.file_id(path) for path in stats if path not in found}

    def entries(self, folder: RepoPath) -> Iterator[TreeEntry]:
        """Each file and empty folder of a directory, in the tree's order."""
        memory = Memory(self._state, folder)
        for name, stat in walk(self.absolute(folder), folder):
            content = None
            if stat is not None:
                row = memory.find(f"{folder}/{name}")
                if row is not None and row[1] == stat:
                    known = row[2]
                else:
                    known = self._read(f"{folder}/{name}", stat, identify, _has_all)
                content = _file_content(known, stat)
            yield TreeEntry(TreePath(name), content)

    def unheld_files(
        self, path: RepoPath, now: Content, holds: Callable[[Content], bool]
    ) -> Iterator[str]:
        """The files at or below `path` whose bytes aren't held; `now` is what it holds.

        A directory from which files are only missing has none: nothing of it would be lost.
        """
        if now.type is not ContentType.DIRECTORY:
            if not holds(now):
                yield path
        elif not holds(now):
            for entry in self.entries(path):
                if entry.content is not None and not holds(entry.content):
                    yield f"{path}/{entry.path}"

    def _read(self, path: str, stat: Stat, put: Put, has: Has) -> Hashed:
        """Hand a file's entries to `put`, unless they are known and had.

        `path` may be a name of any form below the project, as the file system gave it.
        """
        known = self._state.file(path, stat)
        if known is None or not has(known.recipe or known.id):
            if stat.size > WORTH_REMEMBERING:
                self._state.clock.settle(stat)
            is_clean = not self._state.clock.is_racy(stat)  # so may a wait have left it
            known = read_file(os.path.join(self.root, path), stat, put)
            if is_clean:
                self._state.record_files([(path, stat, known)])
        return known

    def _directory(self, path: RepoPath, put: Put, has: Has) -> HashedDirectory:
        known = self._state.directory(path)
        if (
            known is not None
            and has(known.recipe or known.id)
            and known.digest == self.digest(path)
        ):
            return known
        listing = _Listing(self.absolute(path), self._state, path, put, has)
        added = split(listing, put, TREE)
        hashed = HashedDirectory(
            listing.digest, added.id, added.recipe, listing.size, listing.files
        )
        listing.remember()
        if not listing.racy:
            self._state.record_directory(path, hashed)
        return hashed

    def digest(self, path: RepoPath) -> bytes:
        """A digest over the names and states of all files in a directory: nothing is read."""
        return digest(self.absolute(path), path)


class _Listing:
    """The tree of a directory as a stream; files are read on the way, where they must be."""

    def __init__(self, root: str, state: State, folder: RepoPath, put: Put, has: Has) -> None:
        self._root = root
        self._state = state
        self._folder = folder
        self._put = put
        self._has = has
        self._memory = Memory(state, folder)
        self._lines = self._make_lines()
        self._buffer = bytearray()
        self._digest = StateDigest()
        self._fresh: list[FileRow] = []
        self.size = 0
        self.files = 0
        self.racy = False

    @property
    def digest(self) -> bytes:
        return self._digest.value()

    def read(self, n: int, /) -> bytes:
        """Up to `n` bytes of the tree."""
        while len(self._buffer) < n and (line := next(self._lines, None)) is not None:
            self._buffer += line
        part = bytes(self._buffer[:n])
        del self._buffer[:n]
        return part

    def _make_lines(self) -> Iterator[bytes]:
        for name, stat in walk(self._root, self._folder, self._digest.add):
            content = None if stat is None else self._content(name, stat)
            yield encode_line(TreeEntry(TreePath(name), content))
        for gone in self._memory.rest():
            self._state.forget_files(gone)

    def _content(self, name: str, stat: Stat) -> Content:
        key = f"{self._folder}/{name}"
        row = self._memory.find(key)
        if row is not None and row[1] == stat and self._has(row[2].recipe or row[2].id):
            known = row[2]
        else:
            clock = self._state.clock
            is_clean = not clock.is_racy(stat)
            if not is_clean:
                clock.settle(stat)
                is_clean = not clock.is_racy(stat)
            known = read_file(f"{self._root}/{name}", stat, self._put)
            if is_clean:
                self._remember_one((key, stat, known))
            else:
                self.racy = True
        self.size += stat.size
        self.files += 1
        return _file_content(known, stat)

    def _remember_one(self, row: FileRow) -> None:
        self._fresh.append(row)
        if len(self._fresh) >= _REMEMBER_AT_ONCE:
            self.remember()

    def remember(self) -> None:
        """Record what was read so far, and forget what is gone."""
        self._state.forget_files(self._memory.skipped())
        self._state.record_files(self._fresh, may_be_racy=True)  # they were settled when read
        self._fresh = []


def _has_all(_: ObjectId) -> bool:
    return True


def _file_content(hashed: Hashed, stat: Stat) -> Content:
    kind = ContentType.EXECUTABLE if stat.is_executable else ContentType.FILE
    return Content(kind, hashed.id, stat.size, hashed.recipe)


def _directory_content(known: HashedDirectory) -> Content:
    return Content(ContentType.DIRECTORY, known.id, known.size, known.recipe, known.files)
