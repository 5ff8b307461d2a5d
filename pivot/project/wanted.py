"""What the workspace should hold, by locks and `.pvt` files. Loads no definitions."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence

from pivot.errors import MissingDataError, PivotError, UsageError, nearest
from pivot.lock.lock import Lock
from pivot.paths import PathError, RepoPath, StageName, TreePath
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.track.contents import TrackedContents
from pivot.track.directory import ReadTree, entries_at
from pivot.track.finding import pass_over
from pivot.track.pvt import SUFFIX


def wanted(
    project: Project, targets: Sequence[str], read_tree: ReadTree | None = None
) -> dict[RepoPath, Content]:
    """What the workspace should hold: all outs and tracked data, or those of TARGETS.

    A target is a stage, an out, a tracked path or its `.pvt` file, a folder that some of these lie
    in, or a path inside a tracked directory, whose entries `read_tree` gives (by default those that
    the store has). Raises `UsageError` for one that is none,
    `UnreadableLockError` for a lock or `.pvt` file that can't be read.
    """
    locks = project.locks()
    entries = {path: content for lock in locks.values() for path, content in lock.outs.items()}
    if sum(len(lock.outs) for lock in locks.values()) != len(entries):
        raise _claimed_twice(locks)
    tracked = TrackedContents(project.tracked_beside(locks, denied=pass_over))
    _refuse_overlaps(locks, tracked)
    entries |= tracked.contents
    if not targets:
        return dict(sorted(entries.items()))
    found: dict[RepoPath, Content] = {}
    for target in targets:
        matching = _matching(target, locks, entries) or _part(
            target, tracked, read_tree or project.store.tree
        )
        if not matching:
            raise _unknown(target, [*locks, *entries])
        found |= matching
    return dict(sorted(found.items()))


def _matching(
    target: str, locks: Mapping[StageName, Lock], entries: Mapping[RepoPath, Content]
) -> dict[RepoPath, Content]:
    """The outs of a stage, or what lies at a path, in it, or beside its `.pvt` file."""
    for name, lock in locks.items():
        if name == target:
            return dict(lock.outs)
    path = _as_path(target)
    if path is None:
        return {}
    names = (path, path.removesuffix(SUFFIX))
    return {
        entry: content
        for entry, content in entries.items()
        if path.contains(entry) or entry in names
    }


def _as_path(target: str) -> RepoPath | None:
    """A target as a path; None for what can't be one, and so names nothing that has data."""
    with contextlib.suppress(PathError):
        return RepoPath.resolve(target, base=RepoPath.ROOT)
    return None


def _part(target: str, tracked: TrackedContents, read_tree: ReadTree) -> dict[RepoPath, Content]:
    """The files at or below a path inside a tracked directory."""
    path = _as_path(target)
    owner = None if path is None else tracked.owner(path)
    if path is None or owner is None:
        return {}
    try:
        entries = list(entries_at(path, owner, tracked.contents[owner], read_tree))
    except MissingDataError as error:
        raise MissingDataError(
            f"what {owner} has at {path} isn't known",
            why=str(error),
            hint=f"Get it with `pivot pull {path}`",
        ) from error
    return {_named(owner, e.path): e.content for e in entries if e.content is not None}


def _named(owner: RepoPath, name: TreePath) -> RepoPath:
    """A file inside a tracked directory as a path of its own, if its name allows that."""
    text = f"{owner}/{name}"
    with contextlib.suppress(PathError):
        if (path := RepoPath(text)) == text:
            return path
    raise UsageError(
        f"{text!r} can't be restored on its own",
        why="its name isn't in NFC, or has control characters",
        hint=f"Restore all of it: `pivot checkout {owner}`",
    )


def _unknown(target: str, known: Iterable[str]) -> UsageError:
    near = nearest(target, known)
    return UsageError(
        f"{target!r} is no stage, no out and no tracked path",
        hint=f"Did you mean '{near}'?"
        if near
        else "`pivot list --deps` and `pivot status` show what there is",
    )


def _refuse_overlaps(locks: Mapping[StageName, Lock], tracked: TrackedContents) -> None:
    """Two records of one path, as a merge can leave them: nobody can tell which is right."""
    for name, lock in locks.items():
        for out in lock.outs:
            path = tracked.owner(out) or next(iter(tracked.inside(out)), None)
            if path is not None:
                raise PivotError(
                    f"{out}, an out of stage {name}, overlaps {path}, which is tracked",
                    why="only one record can say what a path holds",
                    hint=f"Run `pivot untrack {path}`, or remove the stage's lock",
                )


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
