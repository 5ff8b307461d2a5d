"""Putting outs in place, from locks alone: no definitions are loaded."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

from pivot.checkout import (
    CheckoutPlan,
    plan_checkout,
    plan_missing,
    refuse_absent,
    refuse_edited,
)
from pivot.errors import PivotError, UsageError, nearest
from pivot.lock.lock import Lock
from pivot.outputs import OutKind
from pivot.paths import PathError, RepoPath, StageName
from pivot.placing import fill, lacks, place
from pivot.project.managed import refuse_tracked
from pivot.project.project import Project
from pivot.store.content import Content


class Progress(Protocol):
    """Shows how far a checkout is."""

    def begin(self) -> None:
        """Deciding is over, and writing begins."""

    def __call__(self, done: int, total: int, files: tuple[int, int]) -> None:
        """So many of so many bytes, and of files."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a checkout did: paths written, and paths that were right already."""

    restored: tuple[RepoPath, ...]
    unchanged: tuple[RepoPath, ...]


def wanted(project: Project, targets: Sequence[str]) -> dict[RepoPath, Content]:
    """What the workspace should hold: all outs, or those of TARGETS.

    A target is a stage, an out, or a folder that outs lie in. Raises
    `UsageError` for one that is none, `UnreadableLockError` for a lock that can't be read.
    """
    locks = project.locks()
    entries = {path: content for lock in locks.values() for path, content in lock.outs.items()}
    if sum(len(lock.outs) for lock in locks.values()) != len(entries):
        raise _claimed_twice(locks)
    if not targets:
        return dict(sorted(entries.items()))
    found: dict[RepoPath, Content] = {}
    for target in targets:
        found |= _matching(target, locks, entries)
    return dict(sorted(found.items()))


def _matching(
    target: str, locks: Mapping[StageName, Lock], entries: Mapping[RepoPath, Content]
) -> dict[RepoPath, Content]:
    for name, lock in locks.items():
        if name == target:
            return dict(lock.outs)
    found: dict[RepoPath, Content] = {}
    with contextlib.suppress(PathError):  # what can't be a path names no out either
        path = RepoPath.resolve(target, base=RepoPath.ROOT)
        found = {entry: content for entry, content in entries.items() if path.contains(entry)}
    if not found:
        near = nearest(target, [*locks, *entries])
        raise UsageError(
            f"{target!r} is no stage and no out",
            hint=f"Did you mean '{near}'?" if near else "`pivot list --deps` shows what there is",
        )
    return found


def _claimed_twice(locks: Mapping[StageName, Lock]) -> PivotError:
    owner: dict[RepoPath, StageName] = {}
    for name, lock in locks.items():
        for path in lock.outs:
            if path in owner:
                return PivotError(
                    f"the locks of {owner[path]} and {name} both claim {path}",
                    why="one of the stages was renamed, or its out moved",
                    hint="Run `pivot repro`, which removes locks of stages that are gone",
                )
            owner[path] = name
    return PivotError("two locks claim the same path")


def restore(
    project: Project,
    entries: Mapping[RepoPath, Content],
    *,
    force: bool,
    only_missing: bool,
    progress: Progress | None = None,
) -> Restored:
    """Put these contents in place; what the plan rests on stays in the store meanwhile.

    Raises `EditedError` before anything is written if that would lose data, `MissingDataError` if
    the store lacks something, `UsageError` if Git tracks a path.
    """
    with project.store.in_use():
        plan = preview(project, entries, only_missing=only_missing)
        refuse_absent(plan)
        if not force:
            refuse_edited(plan)
        refuse_tracked(project, _without_metrics(project, [*plan.place, *plan.fill]))
        reached = _Reached.of([*plan.place.values(), *plan.fill.values()], progress)
        if progress is not None:
            progress.begin()
        for put, contents in ((place, plan.place), (fill, plan.fill)):
            for path, content in contents.items():
                put(project.workspace, project.state, project.store, path, content, reached)
                project.state.commit()
    return Restored(tuple(sorted((*plan.place, *plan.fill))), plan.unchanged)


def preview(
    project: Project, entries: Mapping[RepoPath, Content], *, only_missing: bool
) -> CheckoutPlan:
    """What `restore` would do."""
    workspace, holds = project.workspace, project.store.holds
    if not only_missing:
        return plan_checkout(workspace, entries, holds, project.store.tree)
    return plan_missing(workspace, entries, holds, partial(lacks, workspace, project.store))


@dataclass(slots=True)
class _Reached:
    """How far a checkout is, told step by step."""

    total: tuple[int, int]
    progress: Progress | None
    files: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, contents: Collection[Content], progress: Progress | None) -> Self:
        files = sum(1 if content.files is None else content.files for content in contents)
        return cls((files, sum(content.size for content in contents)), progress)

    def __call__(self, files: int, size: int) -> None:
        self.files += files
        self.bytes += size
        if self.progress is not None:
            self.progress(self.bytes, self.total[1], (self.files, self.total[0]))


def _without_metrics(project: Project, paths: Collection[RepoPath]) -> list[RepoPath]:
    metrics = {
        out.path
        for lock in project.locks().values()
        for out in lock.declared.outs
        if out.kind is OutKind.METRIC
    }
    return [path for path in paths if path not in metrics]
