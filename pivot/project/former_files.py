"""Deps and outs as commits had them: of files that Git has, or had, for itself."""

import io
from collections.abc import Iterator
from typing import Final

from pivot.git.repository import CommitId, Repository, WorkPath, runs
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath, TreePath
from pivot.project.commit_sources import place_of
from pivot.project.origin import Origin
from pivot.store.content import Content, ContentType
from pivot.store.entry import identify
from pivot.store.split import TREE, split
from pivot.store.tree import TreeEntry, encode_line

_MAX_FILES: Final = 5_000
_MAX_BYTES: Final = 50_000_000


class FormerFiles:
    """Finds what a lock names in the commits that it may come from; ids prove what is found."""

    def __init__(self, repository: Repository, project: str, origin: Origin) -> None:
        """`project` is its absolute path."""
        self._repository = repository
        self._prefix = place_of(project, repository)
        self._origin = origin

    def file(self, path: RepoPath, wanted: ObjectId) -> bytes | None:
        """The bytes of a file with this id that some commit has at `path`."""
        place = WorkPath(self._prefix + path)
        for commit in self._origin.commits:
            data = self._repository.read(commit, place)
            if data is not None and hash_bytes(data) == wanted:
                return data
        return None

    def entries(self, path: RepoPath, content: Content) -> dict[str, TreeEntry] | None:
        """The listing of a directory; None for a large one, and where no commit has all of it."""
        if (content.files or 0) > _MAX_FILES or content.size > _MAX_BYTES:
            return None
        folder = WorkPath(self._prefix + path)
        for commit in self._origin.commits:
            listing = sorted(self._list(commit, folder), key=lambda entry: entry.path.encode())
            tree = io.BytesIO(b"".join(map(encode_line, listing)))
            if split(tree, identify, TREE).id == content.id:
                return {entry.path: entry for entry in listing}
        return None

    def _list(self, commit: CommitId, folder: WorkPath) -> Iterator[TreeEntry]:
        for name in self._repository.names(commit, folder):
            place = WorkPath(f"{folder}/{name}")
            entry = self._repository.at(commit, place)
            data = self._repository.read(commit, place) or b""
            is_executable = entry is not None and runs(entry)
            kind = ContentType.EXECUTABLE if is_executable else ContentType.FILE
            added = split(io.BytesIO(data), identify)
            yield TreeEntry(TreePath(name), Content(kind, added.id, added.size, added.recipe))
