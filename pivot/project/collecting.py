"""Garbage collection of a project's cache, with all projects that share it."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pivot.errors import NoProjectError, PivotError, UsageError
from pivot.gc.collect import Collection, plan_collection
from pivot.gc.plan import GcPlan
from pivot.gc.sweep import Progress
from pivot.paths import RepoPath
from pivot.project.layout import Layout, find_project
from pivot.project.project import Project
from pivot.project.roots import Keepers, Roots, Scope, find_roots
from pivot.store.content import Content
from pivot.store.gate import Waiting
from pivot.store.projects import Registered, here, pushers, registered
from pivot.store.store import Store

HOLDER = "gc"


class UnaskedError(PivotError):
    """A project that shares a cache can't say what it needs, so nothing may be removed."""

    code = "unasked"


@dataclass(frozen=True, slots=True)
class Kept:
    """A content that stays: where, what, who needs it, and whether the cache has it at all.

    `project` is the root of another project that shares the cache, None for this one.
    """

    project: str | None
    path: RepoPath
    content: Content
    keepers: Keepers
    is_held: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection did, or would do: `removed_bytes` that the packs are smaller by."""

    kept: tuple[Kept, ...]
    plan: GcPlan
    removed_bytes: int
    unfinished: PivotError | None


def preview(project: Project, scope: Scope) -> Collected:
    """What `collect` would do. Others may use the cache meanwhile."""
    with project.store.in_use():
        kept, found = _plan(project, scope)
    return Collected(kept, found.plan, found.plan.removed_bytes, None)


def collect(
    project: Project,
    scope: Scope,
    *,
    wait: bool = True,
    waiting: Waiting | None = None,
    progress: Progress | None = None,
) -> Collected:
    """Remove from the cache what nothing in the scope needs.

    Raises `LockedError` if others use the cache and `wait` is false. Raises, before anything is
    removed, where it can't be told what is needed: see `find_roots`.
    """
    with project.store.alone(holder=HOLDER, wait=wait, waiting=waiting):
        kept, found = _plan(project, scope)
        swept = found.sweep(progress)
    return Collected(kept, found.plan, swept.bytes, swept.unfinished)


def _plan(project: Project, scope: Scope) -> tuple[tuple[Kept, ...], Collection]:
    refuse_without_git(project, scope)
    _refuse_remote(project)
    roots: list[tuple[str | None, Roots]] = [(None, find_roots(project, scope))]
    for registration in _others(project):
        with _open(registration) as other:
            roots.append((other.root, _ask(other, scope)))
    found = plan_collection(
        project.store, dict.fromkeys(content for _, needs in roots for _, content in needs)
    )
    kept = tuple(
        Kept(root, path, content, keepers, content not in found.absent)
        for root, needs in roots
        for (path, content), keepers in sorted(needs.items(), key=lambda item: item[0][0])
    )
    return kept, found


def refuse_without_git(project: Project, scope: Scope) -> None:
    """Raise `UsageError` for a scope that only a repository has, outside of any."""
    if scope.asks_git and project.repository is None:
        raise UsageError(
            "this project is in no Git repository, so it has no branches, tags and commits",
            hint="Name another scope: `--workspace`, `--keep-runs N` or `--older-than AGE`",
        )


def _refuse_remote(project: Project) -> None:
    """Raise `UnaskedError` where the cache is a remote, too: pushes rely on what is there."""
    folder = project.store.root
    for pusher in pushers(folder):
        raise UnaskedError(
            f"{pusher.shown} pushes to {folder}, which is a remote then and no cache alone",
            why="what was only pushed there would be removed, and pushes under way rely on it",
            hint="Set another `cache.dir`, then collect it with `pivot gc --remote`; if nobody"
            f" pushes there any more, remove {os.path.join(folder, pusher.key)}",
        )


def _ask(other: Project, scope: Scope) -> Roots:
    """What another project needs. What keeps it from saying so is told with its name."""
    try:
        return find_roots(other, scope)
    except PivotError as error:
        raise UnaskedError(
            f"{other.root} shares this cache and can't say what it needs",
            why=str(error),
            hint=f"Mend it there: `pivot -C {other.root} doctor` says how",
        ) from error


def _others(project: Project) -> Iterator[Registered]:
    """All projects but this one that use the cache; the one around it is one of them."""
    cache = os.path.realpath(project.store.root)
    found = registered(project.store.root)
    with contextlib.suppress(NoProjectError):
        found.append(here(find_project(os.path.dirname(cache)).root))
    for registration in dict.fromkeys(found):
        if not (registration.is_here and registration.root == project.root):
            yield registration


@contextmanager
def _open(registration: Registered) -> Iterator[Project]:
    """Another project that shares the cache. Raises `NoProjectError` if it can't be asked."""
    try:
        layout = find_project(registration.root) if registration.is_here else None
    except NoProjectError:
        layout = None
    if layout is None or layout.root != registration.root:
        raise _unreachable(registration)
    project = Project(Layout(layout.root))
    try:
        yield project
    finally:
        project.close()


def _unreachable(registration: Registered) -> NoProjectError:
    place = registration.root
    option = "" if registration.is_here else f" --host {registration.host}"
    return NoProjectError(
        f"{place} on {registration.host} shares this cache and can't be asked what it needs",
        why="it isn't there" if registration.is_here else "it is on another host",
        hint=f"If it is gone for good, run `pivot cache forget {place}{option}`",
    )


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds: counts, and sizes in bytes (`raw`: when opened)."""

    folder: str
    id: str
    format: int
    packs: int
    stored: int
    entries: int
    raw: int
    indexes: int
    projects: tuple[Registered, ...]


def describe(store: Store) -> CacheInfo:
    """Count what a store has, from its indexes alone."""
    packs = {pack: size for index in store.indexes for pack, size in index.packs}
    return CacheInfo(
        folder=store.root,
        id=store.id.text,
        format=store.id.format,
        packs=len(packs),
        stored=sum(packs.values()),
        entries=sum(index.entries for index in store.indexes),
        raw=sum(size for index in store.indexes for _, _, size, _ in index.raw_places()),
        indexes=len(store.indexes),
        projects=tuple(registered(os.path.abspath(store.root))),
    )
