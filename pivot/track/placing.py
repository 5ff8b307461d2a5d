"""Putting tracked data in place that something needs and the workspace lacks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pivot.errors import MissingDataError
from pivot.paths import PathError, RepoPath
from pivot.placing import place
from pivot.state import State
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.track.contents import Kept
from pivot.track.directory import ReadTree, directory_of, entries_at, relative
from pivot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Placer:
    """Where to put data, and where to have it from.

    `fetch` brings contents into the store, `tree` gives the entries of a directory; both raise
    `MissingDataError` where that can't be.
    """

    workspace: Workspace
    state: State
    store: Store
    fetch: Callable[[Mapping[RepoPath, Content]], None]
    tree: ReadTree

    def put(self, kept: Kept) -> None:
        """Put a path in place that isn't there; of a directory that it lies in no more than it.

        Raises `MissingDataError` that names it, if the data can't be had.
        """
        try:
            if kept.path == kept.owner or kept.content.type is not ContentType.DIRECTORY:
                self._obtain({kept.path: kept.content})
            else:
                self._assemble(kept)
        except MissingDataError as error:
            raise MissingDataError(
                f"{kept.path} is tracked, and can't be put in place",
                why=str(error),
                hint=f"Get it with `pivot pull {kept.owner}`",
            ) from error
        place(self.workspace, self.state, self.store, kept.path, kept.content)

    def _obtain(self, contents: Mapping[RepoPath, Content]) -> None:
        lacking = {path: c for path, c in contents.items() if not self.store.holds(c)}
        if lacking:
            self.fetch(lacking)

    def _assemble(self, kept: Kept) -> None:
        """A folder inside a directory has no tree of its own in the store, unless it is added.

        Its files come first: a tree is only where all that it names is.
        """
        entries = list(entries_at(kept.path, kept.owner, kept.whole, self.tree))
        self._obtain(_by_path(kept.owner, entries))
        inside = kept.path[len(kept.owner) + 1 :]
        with self.store.writer() as writer:
            directory_of(relative(entries, inside), writer.add_bytes)


def _by_path(owner: RepoPath, entries: Iterable[TreeEntry]) -> dict[RepoPath, Content]:
    """The files of entries, by what messages may call them; each content once."""
    found: dict[RepoPath, Content] = {}
    for content, name in {e.content: e.path for e in entries if e.content is not None}.items():
        try:
            path = RepoPath(f"{owner}/{name}")
        except PathError:  # names inside a directory are free
            path = owner
        while path in found:
            path = RepoPath(f"{owner}/{content.id.hex()}")
        found[path] = content
    return found
