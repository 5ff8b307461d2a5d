"""A Git repository with a work tree, read through libgit2.

Nothing here writes. A repository is read at any revision without a checkout.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import pygit2
from pygit2.enums import FileMode, ObjectType

from pivot.errors import PivotError, UsageError
from pivot.git.errors import bare, cannot_open, git_errors
from pivot.paths import RepoPath

_HEX_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FILE_MODES = frozenset({FileMode.BLOB, FileMode.BLOB_EXECUTABLE})


class CommitId(str):
    """The id of a commit, as 40 (SHA-1) or 64 (SHA-256) lower-case hex digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check `text`; raises `ValueError` where it is no full id."""
        if not _HEX_ID.fullmatch(text):
            raise ValueError(f"not a commit id: {text[:80]!r}")
        return super().__new__(cls, text)


class WorkPath(str):
    """A path relative to the root of the work tree, as Git names it: `/` between, no `..`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check `text`; raises `ValueError` where it is absolute, empty or leaves the tree."""
        if "\0" in text or any(part in ("", ".", "..") for part in text.split("/")):
            raise ValueError(f"not a path in a work tree: {text[:200]!r}")
        return super().__new__(cls, text)

    def parts(self) -> list[str]:
        return self.split("/")


@dataclass(frozen=True, slots=True)
class Head:
    """Where HEAD points.

    Attributes:
        branch: the branch's name without `refs/heads/`; None when detached.
        commit: None on a branch that has no commit yet.
    """

    branch: str | None
    commit: CommitId | None

    @property
    def detached(self) -> bool:
        return self.branch is None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What a message tells about a commit: who, when (UTC) and its first line."""

    id: CommitId
    author: str
    email: str
    time: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as Git keeps it: the mode of a tree entry and the blob's id in hex."""

    mode: int
    blob: str


class Repository:
    """An open repository.

    Attributes:
        workdir: the root of the work tree, absolute and without links.
        gitdir: where this work tree's HEAD and index are (differs between linked work trees).
        raw: libgit2's handle, for the rest of this package only.
    """

    __slots__ = ("gitdir", "raw", "workdir")

    def __init__(self, raw: pygit2.Repository) -> None:
        self.raw = raw
        self.workdir = os.path.realpath(raw.workdir)
        self.gitdir = os.path.realpath(raw.path)

    @classmethod
    def discover(cls, directory: str) -> Self | None:
        """The repository whose work tree contains `directory`; None outside of any.

        `GIT_CEILING_DIRECTORIES` is respected. Raises `NoProjectError` for a bare repository or a
        format that libgit2 can't read, and `DeniedError` for another user's.
        """
        ceilings = os.environ.get("GIT_CEILING_DIRECTORIES", "")
        try:
            path = pygit2.discover_repository(directory, False, ceilings)  # noqa: FBT003  # C function
            if path is None:
                return None
            raw = pygit2.Repository(path)
        except (pygit2.GitError, OSError, KeyError, ValueError) as error:
            raise cannot_open(directory, error) from error
        if raw.is_bare:
            raise bare(directory)
        self = cls(raw)
        inside = os.path.realpath(directory)
        return self if os.path.commonpath([inside, self.workdir]) == self.workdir else None

    def work_path(self, project: str, path: RepoPath) -> WorkPath:
        """Where a path of the project at directory `project` lies in the work tree.

        Raises `UsageError` for what isn't below the work tree's root.
        """
        full = os.path.join(os.path.realpath(project), path)
        relative = os.path.normpath(os.path.relpath(full, self.workdir))
        try:
            return WorkPath(relative)
        except ValueError:
            message = f"{full} is not a file or folder of the work tree {self.workdir}"
            raise UsageError(message) from None

    def absolute(self, path: WorkPath) -> str:
        return os.path.join(self.workdir, path)

    def head(self) -> Head:
        """Where HEAD points now; read anew at each call."""
        with git_errors("HEAD can't be read"):
            target = self.raw.lookup_reference("HEAD").target
            if not isinstance(target, str):
                return Head(None, CommitId(str(target)))
            reference = self.raw.references.get(target)
            commit = None if reference is None else CommitId(str(reference.resolve().target))
            return Head(target.removeprefix("refs/heads/"), commit)

    def resolve(self, revision: str) -> CommitId:
        """The commit that `revision` names: a branch, tag, (short) id, `HEAD~1`.

        Raises `UsageError` where it names none.
        """
        if not revision or revision.startswith("-"):
            raise UsageError(f"{revision!r} is no revision", hint="See `git help revisions`")
        try:
            found = self.raw.revparse_single(revision)
            return CommitId(str(found.peel(pygit2.Commit).id))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise UsageError(
                f"Git knows no commit {revision!r}",
                why=_reason(error),
                hint="See what there is with `git log --oneline --all`",
            ) from error

    def read(self, commit: CommitId, path: WorkPath) -> bytes | None:
        """The bytes of a file in a commit; None where it holds no regular file at `path`."""
        found = self._descend(commit, path.parts())
        if found is None or found.filemode not in _FILE_MODES:
            return None
        return self._blob(found.id, path)

    def read_tree(self, commit: CommitId, folder: WorkPath) -> Mapping[str, bytes]:
        """All regular files below a folder in a commit, by their path relative to it.

        Empty where there is no such folder. Links and submodules are left out.
        """
        found = self._descend(commit, folder.parts())
        if found is None or found.type != ObjectType.TREE:
            return {}
        return {
            name: self._blob(entry.id, WorkPath(f"{folder}/{name}"))
            for name, entry in self._walk(found.id)
        }

    def has_folder(self, commit: CommitId, path: WorkPath) -> bool:
        """Whether a commit holds a folder at `path`."""
        found = self._descend(commit, path.parts())
        return found is not None and found.type == ObjectType.TREE

    def names(self, commit: CommitId, folder: WorkPath | None) -> Iterator[str]:
        """The paths of all regular files below a folder (None: the root), relative to it."""
        if folder is None:
            with git_errors(f"commit {commit} can't be read"):
                tree: pygit2.Oid = self.raw[commit].peel(pygit2.Tree).id
        else:
            found = self._descend(commit, folder.parts())
            if found is None or found.type != ObjectType.TREE:
                return
            tree = found.id
        for name, _ in self._walk(tree):
            yield name

    def describe(self, commit: CommitId) -> CommitInfo:
        """Who made a commit, when, and its subject line."""
        with git_errors(f"commit {commit} can't be read"):
            raw = self.raw[commit].peel(pygit2.Commit)
            lines = raw.message.strip().splitlines()
            return CommitInfo(
                commit,
                raw.author.name,
                raw.author.email,
                datetime.fromtimestamp(raw.author.time, UTC),
                lines[0] if lines else "",
            )

    def tracked(self, paths: Iterable[WorkPath]) -> frozenset[WorkPath]:
        """Those of `paths` that HEAD or the index has: files, or folders of files it has."""
        commit = self.head().commit
        index = self.index()
        return frozenset(
            path
            for path in paths
            if self._in_index(index, path)
            or (commit is not None and self._descend(commit, path.parts()) is not None)
        )

    def ignores(self, path: WorkPath) -> bool:
        """Whether the rules of `.gitignore` files and others leave `path` out."""
        with git_errors(f"Git's rules for {path} can't be read"):
            return self.raw.path_is_ignored(path)

    def changed(self, paths: Iterable[WorkPath]) -> tuple[WorkPath, ...]:
        """Those of `paths` that `git commit --only` would commit, in the given order.

        A file counts when its content (after Git's filters), kind or executable bit differ from
        HEAD's, when HEAD lacks it, and when it is gone but in HEAD.
        """
        commit = self.head().commit
        trust_modes = self.config_bool("core.filemode", default=True)
        found: list[WorkPath] = []
        for path in paths:
            known = self.at(commit, path)
            if self.on_disk(path, known, trust_modes=trust_modes) != known:
                found.append(path)
        return tuple(found)

    def at(self, commit: CommitId | None, path: WorkPath) -> Entry | None:
        """What a commit holds at `path`, when that is a file or a link."""
        found = None if commit is None else self._descend(commit, path.parts())
        if found is None or found.type != ObjectType.BLOB:
            return None
        return Entry(int(found.filemode), str(found.id))

    def on_disk(self, path: WorkPath, known: Entry | None, *, trust_modes: bool) -> Entry | None:
        """What Git would keep of the work tree's `path`; None where no file or link is.

        Without `trust_modes` (`core.filemode = false`) the executable bit is that of `known`.
        Writes nothing: the id is computed, not stored.
        """
        full = self.absolute(path)
        try:
            mode = os.lstat(full).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PivotError(f"{full} can't be read", why=error.strerror) from error
        with git_errors(f"{full} can't be read"):
            if stat.S_ISLNK(mode):
                return Entry(int(FileMode.LINK), str(pygit2.hash(os.readlink(full))))
            if not stat.S_ISREG(mode):
                return None
            return Entry(
                git_mode(mode, known, trust_modes=trust_modes), str(self.raw.hashfile(path))
            )

    def config(self, name: str) -> str | None:
        """A value of Git's configuration (repository, user and system), such as `user.name`."""
        with git_errors(f"Git's configuration {name} can't be read"):
            config = self.raw.config
            if name not in config:
                return None
            return config[name]

    def config_bool(self, name: str, *, default: bool) -> bool:
        """A yes or no of Git's configuration; raises `PivotError` where it is neither."""
        with git_errors(f"Git's configuration {name} can't be read"):
            config = self.raw.config
            return config.get_bool(name) if name in config else default

    def attribute(self, path: WorkPath, name: str) -> str | bool | None:
        """A value from `.gitattributes` for `path`: set, unset, text, or None: unspecified."""
        with git_errors(f"the attributes of {path} can't be read"):
            return self.raw.get_attr(path, name)

    def index(self) -> pygit2.Index:
        """The index as it is on disk now. For this package only."""
        with git_errors("Git's index can't be read"):
            index: pygit2.Index = self.raw.index
            index.read(force=False)
            return index

    def _descend(self, commit: CommitId, parts: list[str]) -> pygit2.Object | None:
        """The entry at a path; None where a tree on the way lacks it.

        Each tree is looked up by itself, so that an object that is missing from the repository
        (a partial clone) is an error and never looks like a path that doesn't exist.
        """
        with git_errors(f"commit {commit} can't be read"):
            found: pygit2.Object = self.raw[commit].peel(pygit2.Commit).tree
            for part in parts:
                if found.type != ObjectType.TREE:
                    return None
                tree = self.raw[found.id].peel(pygit2.Tree)
                if part not in tree:
                    return None
                found = tree[part]
            return found

    def _blob(self, blob: pygit2.Oid, path: WorkPath) -> bytes:
        with git_errors(f"{path} can't be read from Git"):
            return self.raw[blob].peel(pygit2.Blob).data

    def _walk(self, tree: pygit2.Oid) -> Iterator[tuple[str, pygit2.Object]]:
        """Every regular file below a tree, with its path relative to it."""
        with git_errors(f"tree {tree} can't be read"):
            entries = list(self.raw[tree].peel(pygit2.Tree))
        for entry in entries:
            name = entry.name or ""
            if entry.type == ObjectType.TREE:
                for below, found in self._walk(entry.id):
                    yield f"{name}/{below}", found
            elif entry.filemode in _FILE_MODES:
                yield name, entry

    def _in_index(self, index: pygit2.Index, path: WorkPath) -> bool:
        """Whether the index has the file `path` or, when it is a folder, any file below it."""
        if path in index:
            return True
        folds = self.config_bool("core.ignorecase", default=False)
        prefix = _sort_key(path + "/", folds=folds)
        low, high = 0, len(index)
        while low < high:
            middle = (low + high) // 2
            if _sort_key(str(index[middle].path), folds=folds) < prefix:
                low = middle + 1
            else:
                high = middle
        return low < len(index) and _sort_key(str(index[low].path), folds=folds).startswith(prefix)


def runs(entry: Entry) -> bool:
    """Whether Git takes a file for executable."""
    return entry.mode == FileMode.BLOB_EXECUTABLE


def git_mode(mode: int, known: Entry | None, *, trust_modes: bool) -> int:
    """Git's mode of a regular file whose `st_mode` is `mode`.

    Where the file system's executable bits can't be trusted, a file keeps the one it has in Git.
    """
    if not trust_modes:
        is_executable = known is not None and runs(known)
    else:
        is_executable = bool(mode & stat.S_IXUSR)
    return int(FileMode.BLOB_EXECUTABLE if is_executable else FileMode.BLOB)


def _sort_key(path: str, *, folds: bool) -> bytes:
    """The order of libgit2's index; `folds` where names differ in more than case (macOS)."""
    raw = path.encode(errors="surrogateescape")
    return raw.lower() if folds else raw


def _reason(error: Exception) -> str | None:
    """Why a revision is none, when libgit2 says more than repeating it."""
    text = str(error).rsplit(": ", 1)[-1]
    return None if isinstance(error, KeyError) else text
