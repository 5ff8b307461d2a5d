"""Both versions of what a stage reads or writes: as its lock says, and as it is now."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pivot.definition.extra import PATH
from pivot.errors import IntegrityError, MissingDataError
from pivot.explain import ReasonKind, same
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.project.account import Account, Detail, FileChanges
from pivot.project.project import Project
from pivot.store.content import Content, ContentType
from pivot.store.tree import TreeEntry

# How files are named among what was observed, and among code.
_PREFIXES: Final = {ReasonKind.OBSERVED: "file:", ReasonKind.CODE: PATH}


@dataclass(frozen=True, slots=True)
class Versions:
    """What a dep or an out held and holds; None where nothing was or is."""

    path: RepoPath
    old: Content | None
    new: Content | None


def versions(account: Account, detail: Detail) -> Versions | None:
    """The versions that a reason is about; None for what is no file or directory."""
    reason, lock, decision = detail.reason, account.survey.lock, account.decision
    if lock is None:
        return None
    prefix = _PREFIXES.get(reason.kind)
    if prefix is not None and reason.what.startswith(prefix) and not reason.what.endswith("/"):
        path = RepoPath(reason.what.removeprefix(prefix))
        return Versions(path, _file(reason.old), _file(reason.new))
    if reason.kind not in (ReasonKind.DEP, ReasonKind.OUT):
        return None
    path = RepoPath(reason.what)
    if reason.kind is ReasonKind.OUT:
        return Versions(path, lock.outs.get(path), account.survey.outs.get(path))
    known = decision.deps if decision.deps is not None else account.survey.sources
    return Versions(path, lock.deps.get(path), known.get(path))


def _file(id_: str | None) -> Content | None:
    """A file of which the id alone is known; its size is not, and 0 here."""
    with contextlib.suppress(ValueError):  # what a lock of a later Pivot may have there
        return None if id_ is None else Content(ContentType.FILE, ObjectId.parse(id_), 0)
    return None


class Reader:
    """Reads contents from where they are: in the workspace, or in the cache."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def file(self, path: RepoPath, content: Content) -> bytes | None:
        """The bytes of a file that is, or was, at `path`; None where nothing here has them."""
        if self._is_in_place(path, content):
            with open(self._project.workspace.absolute(path), "rb") as f:
                return f.read()
        if not self._project.store.holds(content):
            return None
        try:
            return b"".join(self._project.store.stream(content))
        except (MissingDataError, IntegrityError):
            return None  # the cache was collected meanwhile, or is damaged: `pivot verify` tells

    def entries(self, path: RepoPath, content: Content) -> dict[str, TreeEntry] | None:
        """The files and empty folders of a directory by their path in it."""
        if self._is_in_place(path, content):
            return _by_path(self._project.workspace.entries(path))
        if not self._project.store.holds(content):
            return None
        try:
            return _by_path(self._project.store.tree(content))
        except (MissingDataError, IntegrityError):
            return None

    def _is_in_place(self, path: RepoPath, content: Content) -> bool:
        workspace = self._project.workspace
        if not os.path.lexists(workspace.absolute(path)):
            return False
        now = workspace.content(path)
        return now is not None and same(now, content)


def _by_path(entries: Iterator[TreeEntry]) -> dict[str, TreeEntry]:
    return {entry.path: entry for entry in entries}


def with_files(project: Project, account: Account) -> Account:
    """The account with what changed inside of directories, where their old listings are known."""
    reader = Reader(project)
    details = tuple(
        replace(detail, files=_files(reader, found))
        if (found := versions(account, detail)) is not None
        else detail
        for detail in account.details
    )
    return replace(account, details=details)


def _files(reader: Reader, found: Versions) -> FileChanges | None:
    if found.old is None or found.new is None:
        return None
    if {found.old.type, found.new.type} != {ContentType.DIRECTORY}:
        return None
    old = reader.entries(found.path, found.old)
    new = reader.entries(found.path, found.new)
    return None if old is None or new is None else changes(old, new)


def changes(old: dict[str, TreeEntry], new: dict[str, TreeEntry]) -> FileChanges:
    """What differs between two listings, sorted."""
    return FileChanges(
        added=tuple(new[path].path for path in sorted(new.keys() - old.keys())),
        changed=tuple(
            new[path].path
            for path in sorted(new.keys() & old.keys())
            if not _is_same(old[path].content, new[path].content)
        ),
        removed=tuple(old[path].path for path in sorted(old.keys() - new.keys())),
    )


def _is_same(one: Content | None, other: Content | None) -> bool:
    """Of two files, or empty folders: None."""
    if one is None or other is None:
        return one is other
    return same(one, other)
