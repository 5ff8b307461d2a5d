"""Putting tracked data in place that something needs and the workspace lacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pivot.errors import MissingDataError
from pivot.paths import RepoPath
from pivot.placing import place
from pivot.state import State
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.track.contents import Kept
from pivot.track.directory import directory_of, entries_at, relative
from pivot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Placer:
    """Where to put data, and where to have it from.

    `fetch` brings contents into the store; it raises `MissingDataError` where that can't be.
    """

    workspace: Workspace
    state: State
    store: Store
    fetch: Callable[[Mapping[RepoPath, Content]], None]

    def put(self, kept: Kept) -> None:
        """Put a path in place that isn't there.

        Raises `MissingDataError` that names it, if the data can't be had.
        """
        is_part_folder = kept.path != kept.owner and kept.content.type is ContentType.DIRECTORY
        needed = (kept.owner, kept.whole) if is_part_folder else (kept.path, kept.content)
        self._obtain(kept, *needed)
        with self.store.in_use():
            if is_part_folder:
                self._store_tree(kept)
            place(self.workspace, self.state, self.store, kept.path, kept.content)

    def _obtain(self, kept: Kept, path: RepoPath, content: Content) -> None:
        if self.store.holds(content):
            return
        try:
            self.fetch({path: content})
        except MissingDataError as error:
            raise MissingDataError(
                f"{kept.path} is tracked, and can't be put in place",
                why=str(error),
                hint=f"Get it with `pivot pull {kept.owner}`",
            ) from error

    def _store_tree(self, kept: Kept) -> None:
        """A folder inside a directory has no tree of its own in the store, unless it is added."""
        entries = entries_at(kept.path, kept.owner, kept.whole, self.store.tree)
        inside = kept.path[len(kept.owner) + 1 :]
        with self.store.writer() as writer:
            directory_of(relative(entries, inside), writer.add_bytes)
