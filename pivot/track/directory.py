"""Directories as streams of entries, put together and taken apart without being held in memory."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.entry import identify
from pivot.store.split import TREE, Put, split
from pivot.store.tree import TreeEntry, encode_line

# The entries of a directory; raises `MissingDataError` where its tree can't be read.
type ReadTree = Callable[[Content], Iterator[TreeEntry]]


def directory_of(entries: Iterable[TreeEntry], put: Put) -> Content:
    """The directory with these entries, which are sorted; its tree is handed to `put`."""
    lines = _Lines(entries)
    added = split(lines, put, TREE)
    return Content(ContentType.DIRECTORY, added.id, lines.size, added.recipe, lines.files)


class _Lines:
    """The lines of a tree as a stream that counts."""

    def __init__(self, entries: Iterable[TreeEntry]) -> None:
        self._entries = iter(entries)
        self._buffer = bytearray()
        self.size = 0
        self.files = 0

    def read(self, n: int, /) -> bytes:
        """Up to `n` bytes of the tree."""
        while len(self._buffer) < n and (entry := next(self._entries, None)) is not None:
            if entry.content is not None:
                self.size += entry.content.size
                self.files += 1
            self._buffer += encode_line(entry)
        part = bytes(self._buffer[:n])
        del self._buffer[:n]
        return part


def folders(path: str) -> Iterator[str]:
    """The folders that a path lies in, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def entries_at(
    path: RepoPath, owner: RepoPath, content: Content, read_tree: ReadTree
) -> Iterator[TreeEntry]:
    """The entries at or below `path` in the directory `owner`, which holds `content`.

    Their paths are relative to `owner`. Nothing where the directory has nothing there.
    """
    if content.type is ContentType.DIRECTORY:
        inside = path[len(owner) + 1 :]
        for entry in read_tree(content):
            if entry.path == inside or entry.path.startswith(inside + "/"):
                yield entry


def relative(entries: Iterable[TreeEntry], folder: str) -> Iterator[TreeEntry]:
    """Entries below a folder, named from there; an entry for the empty folder itself is none."""
    for entry in entries:
        if entry.path != folder:
            yield TreeEntry(TreePath(entry.path[len(folder) + 1 :]), entry.content)


def content_at(
    path: RepoPath, owner: RepoPath, content: Content, read_tree: ReadTree
) -> Content | None:
    """What `path` holds, which lies in the directory `owner`; None where that has nothing there.

    Nothing is stored: the tree of a folder inside a directory may be in no store.
    """
    entries = entries_at(path, owner, content, read_tree)
    first = next(entries, None)
    if first is None:
        return None
    inside = path[len(owner) + 1 :]
    if first.path == inside and first.content is not None:
        return first.content
    return directory_of(relative(chain([first], entries), inside), identify)


def names_at(
    folder: RepoPath, owner: RepoPath, content: Content, read_tree: ReadTree
) -> list[str] | None:
    """The names in a folder of the directory `owner`, or in itself; None where it has no such one.

    Raises `MissingDataError` where the tree can't be read.
    """
    if content.type is not ContentType.DIRECTORY:
        return None
    inside = "" if folder == owner else f"{folder[len(owner) + 1 :]}/"
    names: set[str] = set()
    is_there = folder == owner
    for entry in read_tree(content):
        if entry.path.startswith(inside):
            is_there = True
            names.add(entry.path[len(inside) :].partition("/")[0])
        elif entry.content is None and f"{entry.path}/" == inside:
            is_there = True  # it is empty
    return sorted(names) if is_there else None
