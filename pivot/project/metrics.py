"""The metrics of a project: as they are in the workspace, and at any commit."""

import os
from collections.abc import Collection

from pivot.errors import MissingDataError, UsageError, nearest
from pivot.git.repository import CommitId, WorkPath
from pivot.hashing import Json
from pivot.lock.folder import SUFFIX
from pivot.lock.lock import Lock, decode
from pivot.outputs import OutKind
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.show.metrics import parse
from pivot.store.content import Content


def workspace_metrics(project: Project, only: Collection[str]) -> dict[str, dict[str, Json]]:
    """The values of all metrics (or those of `only`) by path, of files that are there.

    Raises `UsageError` where one of `only` is no metric of a lock.
    """
    found: dict[str, dict[str, Json]] = {}
    locks = project.locks().values()
    known = [path for lock in locks for path in _metrics(lock, ())]
    for unknown in [path for path in only if path not in known]:
        near = nearest(unknown, known)
        raise UsageError(
            f"{unknown!r} is no metric",
            hint=f"Did you mean {near}?" if near else "`pivot metrics show` shows all",
        )
    for lock in locks:
        for path in _metrics(lock, only):
            try:
                with open(os.path.join(project.root, path), "rb") as f:
                    found[path] = parse(path, f.read())
            except FileNotFoundError:
                continue
    return dict(sorted(found.items()))


def commit_metrics(
    project: Project, revision: str, only: Collection[str]
) -> dict[str, dict[str, Json]]:
    """The same at a revision: from Git, or from the store where Git lacks the file.

    Raises `UsageError` for a revision that Git doesn't know, `MissingDataError` for a metric that
    is in neither.
    """
    repository = project.need_repository()
    if revision == "HEAD" and repository.head().commit is None:
        raise UsageError(
            "there is no commit to compare with yet", hint="Make one with `pivot commit`"
        )
    commit = repository.resolve(revision)
    prefix = os.path.relpath(project.root, repository.workdir)
    folder = WorkPath(os.path.normpath(f"{prefix}/.pivot/stages"))
    found: dict[str, dict[str, Json]] = {}
    for name, data in repository.read_tree(commit, folder).items():
        if name.endswith(SUFFIX):
            lock = decode(data, f"{name} at {revision}")
            for path in _metrics(lock, only):
                place = WorkPath(os.path.normpath(f"{prefix}/{path}"))
                blob = _at(project, commit, place, lock.outs[path])
                found[path] = parse(path, blob)
    return dict(sorted(found.items()))


def _metrics(lock: Lock, only: Collection[str]) -> list[RepoPath]:
    paths = [out.path for out in lock.declared.outs if out.kind is OutKind.METRIC]
    return [path for path in paths if not only or path in only]


def _at(project: Project, commit: CommitId, place: WorkPath, content: Content) -> bytes:
    blob = project.need_repository().read(commit, place)
    if blob is not None:
        return blob
    if not project.store.holds(content):
        raise MissingDataError(
            f"metric {place} of {commit[:10]} is neither in Git nor in the cache",
            hint="Run `pivot fetch`",
        )
    return b"".join(project.store.stream(content))
