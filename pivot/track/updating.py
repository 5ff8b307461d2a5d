"""From what lies in the workspace to what a `.pvt` file says.

A part of a tracked directory is read alone. The rest of the tree is taken as it stands in the
`.pvt` file, whatever the workspace holds, and goes by as a stream.
"""

import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from pivot.errors import UsageError
from pivot.files import lstat
from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content
from pivot.store.tree import TreeEntry
from pivot.track.directory import ReadTree, directory_of, folders
from pivot.track.planning import Update
from pivot.workspace import Sink, Workspace


@dataclass(frozen=True, slots=True)
class Parts:
    """What is to become of some parts of a tracked directory.

    Attributes:
        names: the parts.
        above: the folders that they lie in.
        emptied: folders that are there, and in which the tree will have nothing any more.
    """

    names: frozenset[TreePath]
    above: frozenset[str]
    emptied: tuple[TreePath, ...]

    @classmethod
    def of(cls, workspace: Workspace, read_tree: ReadTree, update: Update) -> Self:
        """Compare an update with the tree as it stands; nothing is stored.

        Raises `UsageError` for a part that is neither in the workspace nor in the tree.
        """
        base = workspace.absolute(update.path)
        gone = [part for part in update.parts if lstat(os.path.join(base, part)) is None]
        above = frozenset(folder for part in update.parts for folder in folders(part))
        self = cls(frozenset(update.parts), above, ())
        if not gone:
            return self
        unknown = set(gone)
        alive = {f for part in update.parts if part not in unknown for f in folders(part)}
        for entry in _tree(read_tree, update):
            unknown -= {entry.path, *folders(entry.path)}
            if self.keeps(entry):
                alive.update(folders(entry.path))
        if unknown:
            path = RepoPath(f"{update.path}/{min(unknown)}")
            raise UsageError(
                f"{path} doesn't exist",
                why=f"neither the workspace nor the tracked directory {update.path} has it",
                hint=f"Track all of it with `pivot track {update.path}`",
            )
        return cls(self.names, above, tuple(_emptied(base, gone, alive)))

    def keeps(self, entry: TreeEntry) -> bool:
        """Whether an entry of the tree as it stands stays."""
        return not (
            entry.path in self.names
            or entry.path in self.above
            or any(folder in self.names for folder in folders(entry.path))
        )


def take(
    workspace: Workspace, read_tree: ReadTree, update: Update, parts: Parts | None, sink: Sink
) -> Content:
    """Read what an update is about, hand its entries to `sink`, and say what is tracked then.

    `parts` is for an update that has some. `read_tree` gives the entries of a directory that the
    store has.
    """
    if parts is None:
        return workspace.store(update.path, sink)
    kept = (entry for entry in _tree(read_tree, update) if parts.keeps(entry))
    fresh = (workspace.store_part(update.path, part, sink) for part in update.parts)
    emptied = (TreeEntry(folder, None) for folder in parts.emptied)
    entries = heapq.merge(kept, emptied, *fresh, key=lambda entry: entry.path.encode())
    return directory_of(entries, sink.add_bytes)


def _tree(read_tree: ReadTree, update: Update) -> Iterator[TreeEntry]:
    assert update.before is not None, "only what is tracked has parts"  # noqa: S101
    return read_tree(update.before)


def _emptied(base: str, gone: Iterable[TreePath], alive: set[str]) -> Iterator[TreePath]:
    """For what is gone the innermost folder that is there, if the tree has nothing else in it."""
    found: set[str] = set()
    for part in gone:
        there = (f for f in folders(part) if os.path.isdir(os.path.join(base, f)))
        innermost = next(there, None)
        if innermost is not None and innermost not in alive:
            found.add(innermost)
    above = {folder for path in found for folder in folders(path)}
    yield from (TreePath(path) for path in sorted(found - above, key=str.encode))
