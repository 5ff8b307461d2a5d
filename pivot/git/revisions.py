"""Refs, the commits that they reach, and which files of some kind those hold.

A folder that didn't change between two commits is one object, so it is listed once for both.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import pygit2
from pygit2.enums import ObjectType, SortMode

from pivot.git.errors import git_errors
from pivot.git.repository import CommitId, Repository, WorkPath

_COMMIT = re.compile(r"[0-9a-f]{40,64}\n?")


class RefKind(StrEnum):
    """What a ref is: `BRANCH` here or of a remote, `TAG`, or `OTHER` (the stash, for one)."""

    BRANCH = "branch"
    TAG = "tag"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ref:
    """A name for a commit: `main`, `origin/main`, `v1.0`, or `HEAD` where that is detached."""

    name: str
    kind: RefKind
    commit: CommitId


@dataclass(frozen=True, slots=True)
class Dated:
    """A commit, and when it was made in seconds since the epoch."""

    commit: CommitId
    time: float


_PREFIXES = {
    "refs/heads/": RefKind.BRANCH,
    "refs/remotes/": RefKind.BRANCH,
    "refs/tags/": RefKind.TAG,
    "refs/": RefKind.OTHER,
}


def is_shallow(repository: Repository) -> bool:
    """Whether commits are missing from the history, as after `git clone --depth`."""
    return repository.raw.is_shallow


def references(repository: Repository) -> tuple[Ref, ...]:
    """All refs that lead to a commit, and the detached HEADs of all work trees."""
    raw = repository.raw
    found = [*_detached(repository)]
    with git_errors("Git's refs can't be read"):
        for name in sorted(raw.references):
            commit = _commit(raw, name)
            if commit is not None:
                prefix = next(p for p in _PREFIXES if name.startswith(p))
                found.append(Ref(name.removeprefix(prefix), _PREFIXES[prefix], commit))
    return tuple(found)


def _commit(raw: pygit2.Repository, name: str) -> CommitId | None:
    """The commit of a ref; None for a tag of something else, and for a link to nothing."""
    try:
        return CommitId(str(raw.references[name].peel(pygit2.Commit).id))
    except (pygit2.InvalidSpecError, pygit2.GitError, KeyError, ValueError):
        return None


def _detached(repository: Repository) -> Iterator[Ref]:
    """HEADs that name a commit themselves: of this work tree, and of those linked to it."""
    common = repository.raw.path
    try:
        with open(os.path.join(common, "commondir"), encoding="utf-8") as f:
            common = os.path.normpath(os.path.join(common, f.read().strip()))
    except FileNotFoundError:
        pass
    linked = os.path.join(common, "worktrees")
    folders = [common]
    if os.path.isdir(linked):
        folders += (os.path.join(linked, name) for name in sorted(os.listdir(linked)))
    for folder in folders:
        try:
            with open(os.path.join(folder, "HEAD"), encoding="utf-8") as f:
                text = f.read()
        except FileNotFoundError:
            continue
        if _COMMIT.fullmatch(text):
            yield Ref("HEAD", RefKind.BRANCH, CommitId(text.strip()))


def commits(repository: Repository, tips: Iterable[CommitId]) -> Iterator[Dated]:
    """All commits that `tips` reach, newest first, each once."""
    with git_errors("Git's history can't be read"):
        walker = None
        for tip in dict.fromkeys(tips):
            if walker is None:
                walker = repository.raw.walk(pygit2.Oid(hex=tip), SortMode.TIME)
            else:
                walker.push(pygit2.Oid(hex=tip))
        for commit in walker or ():
            yield Dated(CommitId(str(commit.id)), float(commit.commit_time))


class Listings:
    """Which files below a folder commits hold, of those whose names are wanted.

    `skip` are names of folders that are passed over, at any depth.
    """

    def __init__(
        self,
        repository: Repository,
        folder: WorkPath | None,
        wanted: Callable[[str], bool],
        *,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self._raw = repository.raw
        self._folder = folder.parts() if folder is not None else []
        self._wanted = wanted
        self._skip = skip
        self._known: dict[str, tuple[tuple[str, str], ...]] = {}

    def at(self, commit: CommitId) -> tuple[tuple[str, str], ...]:
        """The files in a commit: path relative to the folder, and the blob's id."""
        with git_errors(f"commit {commit} can't be read"):
            tree = self._raw[commit].peel(pygit2.Tree)
            for part in self._folder:
                if part not in tree or tree[part].type != ObjectType.TREE:
                    return ()
                tree = self._raw[tree[part].id].peel(pygit2.Tree)
            return self._list(tree)

    def _list(self, tree: pygit2.Tree) -> tuple[tuple[str, str], ...]:
        key = str(tree.id)
        if key not in self._known:
            self._known[key] = tuple(self._walk(tree))
        return self._known[key]

    def _walk(self, tree: pygit2.Tree) -> Iterator[tuple[str, str]]:
        for entry in tree:
            name = entry.name or ""
            if entry.type == ObjectType.TREE and name not in self._skip:
                for path, blob in self._list(self._raw[entry.id].peel(pygit2.Tree)):
                    yield f"{name}/{path}", blob
            elif entry.type == ObjectType.BLOB and self._wanted(name):
                yield name, str(entry.id)

    def read(self, blob: str) -> bytes:
        """The bytes of a blob."""
        with git_errors(f"blob {blob} can't be read"):
            return self._raw[blob].peel(pygit2.Blob).data
