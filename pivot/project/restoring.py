"""Putting outs and tracked data in place, by locks and `.pvt` files. Loads no definitions."""

from collections.abc import Collection, Mapping
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
from pivot.outputs import OutKind
from pivot.paths import RepoPath
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
    """What a checkout did: paths written, that were right already, and that were not looked at."""

    restored: tuple[RepoPath, ...]
    unchanged: tuple[RepoPath, ...]
    left: tuple[RepoPath, ...]


def restore(
    project: Project,
    entries: Mapping[RepoPath, Content],
    *,
    force: bool,
    only_missing: bool,
    progress: Progress | None = None,
) -> Restored:
    """Put these contents in place; what the plan rests on stays in the store meanwhile.

    Raises `EditedError` before anything is written if that would lose data, and at a path that is
    edited after that, `MissingDataError` if the store lacks something, `UsageError` if Git tracks
    a path.
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
        parts = (project.workspace, project.state, project.store)
        for path, content in plan.place.items():
            look = None if force and not only_missing else plan.looks[path]
            place(*parts, path, content, reached, look)
            project.state.commit()
        for path, content in plan.fill.items():
            fill(*parts, path, content, reached)
            project.state.commit()
    return Restored(tuple(sorted((*plan.place, *plan.fill))), plan.unchanged, plan.left)


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
