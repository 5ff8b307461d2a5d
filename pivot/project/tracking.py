"""Tracking data that no stage makes, and letting go of it: no definitions are loaded.

Order matters: data is durable in the store before a `.pvt` file names it, and Git ignores the data
last. Letting go of it is the other way round, so that what isn't done yet can still be named.
Whoever dies in between has lost nothing, and running the command again completes it; `untrack` for
those of its paths that are left.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pivot.errors import UsageError, nearest
from pivot.files import locked
from pivot.git.ignore import add_ignored, drop_ignored
from pivot.paths import RepoPath
from pivot.project.managed import refuse_tracked
from pivot.project.metered import Metered, Progress
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.track.finding import find_tracked, pass_over
from pivot.track.planning import Claims, Place, Update, plan_tracking, resolve
from pivot.track.pvt import SUFFIX, pvt_path, remove_pvt, write_pvt
from pivot.track.updating import Parts, take
from pivot.workspace import Identifier, Sink


class TrackState(StrEnum):
    """What became of a tracked path; the words of `track --json`."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Tracked:
    """A path that is tracked now, what it holds, and the parts of it that alone were read."""

    path: RepoPath
    state: TrackState
    content: Content
    parts: tuple[RepoPath, ...]


@dataclass(frozen=True, slots=True)
class Untracked:
    """A path that is tracked no longer, and whether its data is in the workspace."""

    path: RepoPath
    is_there: bool


def track(
    project: Project, cwd: str, written: Sequence[str], *, dry_run: bool, progress: Progress
) -> tuple[Tracked, ...]:
    """Put data under Pivot's care, or say what it holds now; `written` are paths in `cwd`.

    With `dry_run` all is read and checked, and nothing is kept. Raises what `plan_tracking` does
    before anything is stored, and `UsageError` for what Git tracks.
    """
    with contextlib.nullcontext() if dry_run else _alone(project):
        updates = _plan(project, cwd, written)
        parts = {
            update.path: Parts.of(project.workspace, project.store.tree, update)
            for update in updates
            if update.parts
        }
        if dry_run:
            return _told(updates, _take_all(project, updates, parts, Identifier(), progress))
        with project.store.in_use():
            with project.store.writer() as writer:
                contents = _take_all(project, updates, parts, writer, progress)
            for update in updates:
                if contents[update.path] != update.before:
                    write_pvt(project.root, update.path, contents[update.path])
        if project.repository is not None:
            add_ignored(project.root, [update.path for update in updates])
        return _told(updates, contents)


def _plan(project: Project, cwd: str, written: Sequence[str]) -> tuple[Update, ...]:
    """What is to be read; all that can be refused is refused here."""
    locks = project.locks()
    outs = {path: name for name, lock in locks.items() for path in lock.outs}
    claims = Claims(project.tracked_beside(locks, denied=pass_over), outs)
    places = [resolve(project.root, cwd, text) for text in written]
    updates = plan_tracking(project.root, places, claims)
    why = "Git keeps it already, and only one of both can"
    refuse_tracked(project, [place.path for place in places], why)
    _refuse_unlisted(project, updates)
    return updates


def _alone(project: Project) -> contextlib.AbstractContextManager[int]:
    """Two who update parts of one directory must not undo each other's."""
    os.makedirs(project.layout.temporary, exist_ok=True)
    return locked(os.path.join(project.layout.temporary, "track.flock"), holder="pivot track")


def untrack(
    project: Project, cwd: str, written: Sequence[str], *, dry_run: bool
) -> tuple[Untracked, ...]:
    """Let go of tracked paths: their `.pvt` files go, their data stays wherever it is.

    Raises `UsageError` for what isn't tracked, and for data whose only trace is its `.pvt` file.
    """
    with contextlib.nullcontext() if dry_run else _alone(project):
        done = _plan_untracking(project, cwd, written)
        if not dry_run:
            if project.repository is not None:
                drop_ignored(project.root, [one.path for one in done])
            for one in done:
                remove_pvt(project.root, one.path)
        return done


def _plan_untracking(project: Project, cwd: str, written: Sequence[str]) -> tuple[Untracked, ...]:
    outs = {path for lock in project.locks().values() for path in lock.outs}
    known = find_tracked(project.root, outs=outs, denied=pass_over)
    paths = sorted({_known(resolve(project.root, cwd, text), known) for text in written})
    done = [Untracked(path, os.path.lexists(os.path.join(project.root, path))) for path in paths]
    for one in done:
        if not one.is_there:
            _refuse_last_trace(project, one.path)
    return tuple(done)


def oddities(project: Project, paths: Iterable[RepoPath]) -> Iterator[tuple[str, str]]:
    """Where Git's own rules undo what tracking means: what is odd, and what helps."""
    repository = project.repository
    if repository is None:
        return
    for path in paths:
        if not repository.ignores(repository.work_path(project.root, path)):
            yield (
                f"Git does not ignore {path}: a later rule of a .gitignore takes it back",
                f"See the rules with `git check-ignore -v --no-index {path}`",
            )
        if repository.ignores(repository.work_path(project.root, pvt_path(path))):
            yield (
                f"Git ignores {pvt_path(path)}, so `git add` leaves it out",
                "Commit it with `pivot commit`, or change the rule that ignores it",
            )


def _refuse_unlisted(project: Project, updates: Sequence[Update]) -> None:
    """To update a part alone the listing of the rest must be here."""
    for update in updates:
        if update.parts and update.before and not project.store.holds(update.before):
            raise UsageError(
                f"{update.path} can't be updated in part",
                why="the cache doesn't have what is tracked there",
                hint=f"Run `pivot fetch {update.path}` first",
            )


def _take_all(
    project: Project,
    updates: Sequence[Update],
    parts: Mapping[RepoPath, Parts],
    sink: Sink,
    progress: Progress,
) -> dict[RepoPath, Content]:
    metered = Metered(sink, lambda: _unread(project, updates), progress)
    workspace, read_tree = project.workspace, project.store.tree
    return {
        update.path: take(workspace, read_tree, update, parts.get(update.path), metered)
        for update in updates
    }


def _unread(project: Project, updates: Sequence[Update]) -> int:
    return sum(
        project.workspace.unread_size(update.path, part)
        for update in updates
        for part in update.parts or ("",)
    )


def _told(updates: Sequence[Update], contents: Mapping[RepoPath, Content]) -> tuple[Tracked, ...]:
    return tuple(
        Tracked(
            update.path,
            _state(update.before, contents[update.path]),
            contents[update.path],
            tuple(RepoPath(f"{update.path}/{part}") for part in update.parts),
        )
        for update in updates
    )


def _state(before: Content | None, now: Content) -> TrackState:
    if before is None:
        return TrackState.NEW
    return TrackState.UNCHANGED if before == now else TrackState.UPDATED


def _known(place: Place, known: Sequence[RepoPath]) -> RepoPath:
    """The tracked path that somebody meant: itself, or its `.pvt` file."""
    for path in (place.path, place.path.removesuffix(SUFFIX)):
        if path in known:
            return RepoPath(path)
    owner = next((path for path in known if path.contains(place.path)), None)
    if owner is not None:
        raise UsageError(
            f"{place.path} isn't tracked on its own",
            why=f"it is a part of {owner}",
            hint=f"To let go of it alone, remove it and run `pivot track {place.path}`",
        )
    near = nearest(place.path, known)
    raise UsageError(
        f"{place.path} isn't tracked",
        hint=f"Did you mean {near}?" if near else "`pivot status` shows what is",
    )


def _refuse_last_trace(project: Project, path: RepoPath) -> None:
    """Data that isn't in the workspace is found again through its `.pvt` file only."""
    repository = project.repository
    file = pvt_path(path)
    if repository is not None:
        head = repository.head().commit
        if repository.at(head, repository.work_path(project.root, file)) is not None:
            return
    raise UsageError(
        f"{path} is not in the workspace, and {file} was never committed",
        why="without it nobody could find the data again",
        hint=f"Bring it back first with `pivot checkout {path}`, or remove {file} yourself",
    )
