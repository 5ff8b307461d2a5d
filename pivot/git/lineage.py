"""Which commits hold a file just as it is: the one that brought it, and those since."""

from collections.abc import Iterator, Mapping
from itertools import islice

import pygit2
from pygit2.enums import ObjectType

from pivot.git.errors import git_errors
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.git.revisions import commits

_LONGEST = 10_000  # commits that are looked at for one file, or to find where some are


class Lineages:
    """Answers for many files of one folder, whose trees are each looked at once."""

    def __init__(self, repository: Repository, folder: WorkPath) -> None:
        self._repository = repository
        self._raw = repository.raw
        self._folder = folder
        self._trees: dict[CommitId, str | None] = {}
        self._blobs: dict[tuple[str, str], str | None] = {}

    def of(self, name: str, blob: str, start: CommitId | None = None) -> tuple[CommitId, ...]:
        """Commits that hold `blob` at the path `name` in the folder, from HEAD's line of them.

        Newest first: from HEAD, or from `start`, down to the commit that brought it, through the
        parents that had it already. Empty if HEAD, or `start`, holds something else there.
        """
        with git_errors("Git's history can't be read"):
            return tuple(self._line(name, blob, start or self._repository.head().commit))

    def newest(self, files: Mapping[str, str], limit: int = _LONGEST) -> dict[str, CommitId]:
        """The newest commits of HEAD's history that hold these files: name -> blob.

        Without those that none of the newest `limit` commits holds. The history is walked once
        for all, and no further than it must be.
        """
        with git_errors("Git's history can't be read"):
            return self._newest(files, limit)

    def _newest(self, files: Mapping[str, str], limit: int) -> dict[str, CommitId]:
        left = dict(files)
        found: dict[str, CommitId] = {}
        head = self._repository.head().commit
        if head is None or not left:
            return found
        for dated in islice(commits(self._repository, [head]), limit):
            here = [n for n, blob in left.items() if self._blob(dated.commit, n) == blob]
            for name in here:
                found[name] = dated.commit
                del left[name]
            if not left:
                break
        return found

    def _line(self, name: str, blob: str, commit: CommitId | None) -> Iterator[CommitId]:
        for _ in range(_LONGEST):
            if commit is None or self._blob(commit, name) != blob:
                return
            yield commit
            commit = next(
                (p for p in self.parents(commit) if self._blob(p, name) == blob),
                None,
            )

    def parents(self, commit: CommitId) -> tuple[CommitId, ...]:
        """A commit's parents, as far as this clone has them: a shallow one lacks some."""
        ids = self._raw[commit].peel(pygit2.Commit).parent_ids
        return tuple(CommitId(str(id_)) for id_ in ids if id_ in self._raw)

    def _blob(self, commit: CommitId, name: str) -> str | None:
        tree = self._tree(commit)
        if tree is None:
            return None
        key = tree, name
        if key not in self._blobs:
            found = _descend(self._raw[tree].peel(pygit2.Tree), name)
            is_file = found is not None and found.type == ObjectType.BLOB
            self._blobs[key] = str(found.id) if found is not None and is_file else None
        return self._blobs[key]

    def _tree(self, commit: CommitId) -> str | None:
        """The folder's tree in a commit."""
        if commit not in self._trees:
            found = _descend(self._raw[commit].peel(pygit2.Tree), self._folder)
            is_folder = found is not None and found.type == ObjectType.TREE
            self._trees[commit] = str(found.id) if found is not None and is_folder else None
        return self._trees[commit]


def _descend(tree: pygit2.Tree, path: str) -> pygit2.Object | None:
    if path not in tree:
        return None
    return tree[path]
