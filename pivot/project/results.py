"""Committing results: which files of a project a `pivot commit` is about."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pivot.code.record import DOCUMENT, decode
from pivot.definition.extra import is_path, paths_of
from pivot.git.commit import commit_only
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.lock.folder import SUFFIX, list_locks, lock_path, read_lock
from pivot.lock.observed import Observed
from pivot.outputs import OutKind
from pivot.paths import RepoPath, StageName
from pivot.project.project import Project
from pivot.track.finding import pass_over
from pivot.track.pvt import SUFFIX as PVT
from pivot.track.pvt import pvt_path

LOCKS = ".pivot/stages"
MANAGED = (".gitignore", ".gitattributes", ".pivot/.gitignore", ".pivot/config.toml")
NAMED = 3
PRIVATE = "/.pivot/"
PARAMS_FILE = "params.yaml"


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made; `commit` is None if there was nothing to commit.

    `sources` are files that results were made from and that differ from HEAD, if they were not
    taken along.
    """

    commit: CommitId | None
    paths: tuple[WorkPath, ...]
    sources: tuple[WorkPath, ...]


def commit_results(project: Project, message: str | None, *, code: bool = False) -> Committed:
    """Commit locks, metrics, `.pvt` files and managed files, and with `code` the sources.

    All are taken as they are now.

    Everything else, staged or not, stays as it was. Definitions are not loaded: locks and the last
    analysis tell what there is. Raises `UnreadableLockError` for a lock that can't be vouched for.
    """
    repository = project.need_repository()
    place = _Place(repository, project.root)
    sources = repository.changed(place.all(_analysed_sources(project)))
    wanted = [*place.all(_results(project, repository, place)), *(sources if code else ())]
    paths = repository.changed(list(dict.fromkeys(wanted)))
    left = () if code else sources
    if not paths:
        return Committed(None, (), left)
    commit = commit_only(repository, paths, message or _message(paths, repository.workdir))
    return Committed(commit, paths, left)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the project lies in the repository's work tree."""

    repository: Repository
    root: str

    def work_path(self, path: str) -> WorkPath:
        full = os.path.join(self.root, path)
        return WorkPath(os.path.relpath(full, self.repository.workdir))

    @property
    def folder(self) -> WorkPath | None:
        """The project's folder in the work tree, None if that is the work tree's root."""
        relative = os.path.relpath(self.root, self.repository.workdir)
        return None if relative == "." else WorkPath(relative)

    def all(self, paths: Iterable[str]) -> list[WorkPath]:
        return [self.work_path(path) for path in paths]


def _results(project: Project, repository: Repository, place: _Place) -> Iterator[str]:
    """Paths below the project's root: files that are there, and locks that HEAD has."""
    names = set(list_locks(project.layout.locks))
    for name in sorted(names):
        yield f"{LOCKS}/{lock_path(name)}"
        lock = read_lock(project.layout.locks, name)
        for out in lock.declared.outs if lock is not None else ():
            if out.kind is OutKind.METRIC:
                yield out.path
    yield from (name for name in MANAGED if os.path.exists(os.path.join(project.root, name)))
    head = repository.head().commit
    yield from _tracked(project, repository, place)
    if head is not None:
        for file in repository.read_tree(head, place.work_path(LOCKS)):
            if file.endswith(SUFFIX):
                yield f"{LOCKS}/{file}"


def _tracked(project: Project, repository: Repository, place: _Place) -> Iterator[str]:
    """The `.pvt` files that are there, and those that HEAD has and that are gone."""
    yield from map(pvt_path, project.tracked(denied=pass_over))
    head = repository.head().commit
    if head is None or repository.config_bool("core.sparseCheckout", default=False):
        return  # in a sparse work tree what isn't there may just not be wanted here
    names = list(repository.names(head, place.folder))
    inner = tuple({name.partition(PRIVATE)[0] + "/" for name in names if PRIVATE in name})
    for name in names:
        if name.endswith(PVT) and not name.startswith(inner):
            full = os.path.join(project.root, name)
            if not os.path.lexists(full) and not _is_inner(project.root, name):
                yield name


def _is_inner(root: str, name: str) -> bool:
    """Whether a path lies in a project inside the project."""
    folders = accumulate(name.split("/")[:-1], os.path.join)
    return any(os.path.isdir(os.path.join(root, folder, ".pivot")) for folder in folders)


def _analysed_sources(project: Project) -> Iterator[str]:
    """The files that the last analysis read, and overrides of parameters; nothing is loaded."""
    data = project.state.document(DOCUMENT)
    record = decode(data) if data is not None else None
    if record is not None:
        yield from (path for path, id_ in record.files.items() if id_ is not None)
        yield from _observed_sources(project, record.roots)
    for lock in project.locks().values():
        yield from paths_of([entry for entry in lock.declared.code if is_path(entry)])
    if os.path.exists(os.path.join(project.root, PARAMS_FILE)):
        yield PARAMS_FILE


def _observed_sources(project: Project, roots: Sequence[RepoPath]) -> Iterator[str]:
    """The files of code that runs were seen to use, as locks name it."""
    found: set[str] = set()
    for name in list_locks(project.layout.locks):
        lock = read_lock(project.layout.locks, name)
        observed = Observed() if lock is None else lock.observed
        for symbol in observed.code:
            inner = symbol.partition(":")[0].replace(".", "/")
            for root in roots:
                plain = os.path.normpath(f"{root}/{inner}")
                found |= {f"{plain}.py", f"{plain}/__init__.py"}
        found |= {path for path in observed.files if path.endswith(".py")}
    yield from (p for p in sorted(found) if os.path.exists(os.path.join(project.root, p)))


def _message(paths: Sequence[str], workdir: str) -> str:
    """A message for a commit whose author gave none."""
    names = [
        StageName(path.rpartition(f"{LOCKS}/")[2].removesuffix(SUFFIX))
        for path in paths
        if path.endswith(SUFFIX)
    ]
    if names:
        return f"Update results of {_listed(names)}"
    tracked = [path for path in paths if path.endswith(PVT)]
    there = any(os.path.lexists(os.path.join(workdir, path)) for path in tracked)
    if tracked:
        verb = "Update tracked" if there else "Untrack"
        return f"{verb} {_listed([path.removesuffix(PVT) for path in tracked])}"
    return "Update Pivot's files"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
