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

from pivot.errors import UsageError
from pivot.git.errors import git_errors
from pivot.git.repository import CommitId, Repository

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
        found += _older_stashes(raw)
    return tuple(found)


def _commit(raw: pygit2.Repository, name: str) -> CommitId | None:
    """The commit of a ref; None for a tag of something else, and for a link to nothing.

    An object that is missing is an error: what it needs can't be told.
    """
    reference = raw.references[name]
    if isinstance(reference.target, str) and reference.target not in raw.references:
        return None
    try:
        return CommitId(str(reference.peel(pygit2.Commit).id))
    except pygit2.InvalidSpecError:
        return None


def _older_stashes(raw: pygit2.Repository) -> Iterator[Ref]:
    """All stashes but the newest are in its log alone."""
    stash = raw.references.get("refs/stash")
    for number, entry in enumerate(stash.log() if stash is not None else ()):
        if number:
            yield Ref(f"stash@{{{number}}}", RefKind.OTHER, CommitId(str(entry.oid_new)))


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


def selected(repository: Repository, revision: str) -> tuple[CommitId, ...]:
    """The commits that a revision names: one, or for `A..B` those of B that A lacks, newest first.

    Either end of a range may be left out for HEAD. Raises `UsageError` where it names none.
    """
    if "..." in revision:
        raise UsageError(
            f"{revision!r} is a symmetric difference, which isn't supported",
            hint="Name a commit or a range `A..B`",
        )
    old, dots, new = revision.partition("..")
    if not dots:
        return (repository.resolve(revision),)
    ends = repository.resolve(new or "HEAD"), repository.resolve(old or "HEAD")
    with git_errors("Git's history can't be read"):
        walker = repository.raw.walk(pygit2.Oid(hex=ends[0]), SortMode.TIME)
        walker.hide(pygit2.Oid(hex=ends[1]))
        return tuple(CommitId(str(commit.id)) for commit in walker)


class Listings:
    """Which files commits hold, of those whose names are wanted.

    Attributes:
        within: only below folders of these names, one in the other, wherever they are; empty for
            the whole tree.
        skip: names of folders that are passed over.
    """

    def __init__(
        self,
        repository: Repository,
        wanted: Callable[[str], bool],
        *,
        within: tuple[str, ...] = (),
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self._raw = repository.raw
        self._wanted = wanted
        self._within = within
        self._skip = skip
        self._known: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {}

    def at(self, commit: CommitId) -> tuple[tuple[str, str], ...]:
        """The files in a commit: path in the work tree, and the blob's id."""
        with git_errors(f"commit {commit} can't be read"):
            return self._list(self._raw[commit].peel(pygit2.Tree), 0)

    def _list(self, tree: pygit2.Tree, depth: int) -> tuple[tuple[str, str], ...]:
        """The wanted files of a tree, which lies in so many of the folders of `within`."""
        key = str(tree.id), depth
        if key not in self._known:
            self._known[key] = tuple(self._walk(tree, depth))
        return self._known[key]

    def _walk(self, tree: pygit2.Tree, depth: int) -> Iterator[tuple[str, str]]:
        is_inside = depth == len(self._within)
        for entry in tree:
            name = entry.name or ""
            if entry.type == ObjectType.TREE and name not in self._skip:
                deeper = depth if is_inside else self._depth_below(name, depth)
                for path, blob in self._list(self._raw[entry.id].peel(pygit2.Tree), deeper):
                    yield f"{name}/{path}", blob
            elif is_inside and entry.type == ObjectType.BLOB and self._wanted(name):
                yield name, str(entry.id)

    def _depth_below(self, name: str, depth: int) -> int:
        if name == self._within[depth]:
            return depth + 1
        return int(name == self._within[0])

    def read(self, blob: str) -> bytes:
        """The bytes of a blob."""
        with git_errors(f"blob {blob} can't be read"):
            return self._raw[blob].peel(pygit2.Blob).data
