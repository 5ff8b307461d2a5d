"""Which commits hold a file with just these bytes: the way from a lock to what it was made of.

Git's history is walked lazily, and a folder that didn't change between two commits is read once.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import pygit2

from pivot.git.errors import git_errors
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.git.revisions import commits

LIMIT: Final = 20_000
"""How many commits are looked at: where a file isn't in so many, it is taken for not committed."""


class Holders:
    """Finds files, each as a path with its blob's id in hex, in the history of HEAD."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._raw = repository.raw
        self._known: dict[tuple[pygit2.Oid, str], pygit2.Oid | None] = {}

    def newest(self, files: Mapping[WorkPath, str], limit: int = LIMIT) -> dict[WorkPath, CommitId]:
        """For each file the newest commit that holds it; files that none of `limit` holds lack.

        The history is walked once for all, and no further than it must be.
        """
        left = dict(files)
        found: dict[WorkPath, CommitId] = {}
        head = self._repository.head().commit
        if head is None or not left:
            return found
        for dated in islice(commits(self._repository, [head]), limit):
            for path in [
                path for path, blob in left.items() if self._has(dated.commit, path, blob)
            ]:
                found[path] = dated.commit
                del left[path]
            if not left:
                break
        return found

    def since(self, commit: CommitId, path: WorkPath, blob: str) -> Iterator[CommitId]:
        """From a commit that holds a file back to the one that wrote it, each once.

        Of a merge's parents the first that holds it is followed, as `git log -- PATH` does.
        """
        current: CommitId | None = commit
        while current is not None:
            yield current
            parents = self._parents(current)
            current = next((p for p in parents if self._has(p, path, blob)), None)

    def blob(self, commit: CommitId, path: WorkPath) -> str | None:
        """The id of what a commit holds at a path; None where nothing is."""
        with git_errors(f"commit {commit} can't be read"):
            found: pygit2.Oid | None = self._raw[commit].peel(pygit2.Commit).tree_id
            for part in path.parts():
                if found is None:
                    return None
                found = self._below(found, part)
        return None if found is None else str(found)

    def _has(self, commit: CommitId, path: WorkPath, blob: str) -> bool:
        return self.blob(commit, path) == blob

    def _below(self, tree: pygit2.Oid, name: str) -> pygit2.Oid | None:
        key = tree, name
        if key not in self._known:
            found = self._raw[tree]
            tree_has_it = isinstance(found, pygit2.Tree) and name in found
            self._known[key] = found.peel(pygit2.Tree)[name].id if tree_has_it else None
        return self._known[key]

    def _parents(self, commit: CommitId) -> list[CommitId]:
        """The parents that are here: a shallow clone lacks those of its last commits."""
        with git_errors(f"commit {commit} can't be read"):
            ids = self._raw[commit].peel(pygit2.Commit).parent_ids
            return [CommitId(str(parent)) for parent in ids if parent in self._raw]
