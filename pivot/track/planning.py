"""Deciding what tracking some paths comes to; every path is checked before anything is stored."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pivot.errors import PivotError, UsageError, nearest
from pivot.files import Stat, lstat
from pivot.landing import LinkInTheWayError
from pivot.paths import PathError, RepoPath, StageName, TreePath
from pivot.reading import unsupported
from pivot.store.content import Content, ContentType
from pivot.track.finding import hidden_by
from pivot.track.pvt import SUFFIX, pvt_path


class OverlapError(UsageError):
    """A path that something else holds already: a stage's out, another tracked path, or Git."""

    code = "overlap"


@dataclass(frozen=True, slots=True)
class Place:
    """A path of the project that somebody named: as a checked path, and as it was written.

    They differ where the name isn't in NFC, as files inside a directory may be.
    """

    path: RepoPath
    written: str


@dataclass(frozen=True, slots=True)
class Update:
    """A tracked path to be read anew.

    Attributes:
        path: what is tracked, or will be.
        before: what its `.pvt` file says; None where there is none yet.
        parts: what alone is to be read of a tracked directory, in order; empty for all of it.
    """

    path: RepoPath
    before: Content | None
    parts: tuple[TreePath, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What holds paths of the project already: tracked contents, and outs with their stages."""

    tracked: Mapping[RepoPath, Content]
    outs: Mapping[RepoPath, StageName]


def resolve(root: str, cwd: str, written: str) -> Place:
    """What somebody wrote in the folder `cwd`, as a place of the project at `root`.

    Both folders are absolute. Raises `PathError` for what lies outside of the project, or is the
    project itself.
    """
    if not written.strip():
        raise PathError("an empty path can't be used")
    full = os.path.normpath(os.path.join(cwd, written))
    relative = os.path.relpath(full, root)
    if relative == ".":
        raise PathError("the whole project can't be tracked", hint="Name files or folders in it")
    if relative == ".." or relative.startswith("../"):
        raise PathError(
            f"path {written!r} can't be used",
            why=f"it lies outside of the project {root}",
            hint="Move or copy the data into the project",
        )
    return Place(RepoPath(relative), relative)


def plan_tracking(root: str, places: Iterable[Place], claims: Claims) -> tuple[Update, ...]:
    """What is to be read for these places, each tracked path once.

    Raises `PathError`, `OverlapError`, `LinkInTheWayError`, `UnsupportedFileError` or `UsageError`
    for a place that can't be tracked.
    """
    whole: set[RepoPath] = set()
    parts: dict[RepoPath, set[TreePath]] = {}
    for place in places:
        owner = _owner(place.path, claims)
        stat = _look(root, place)
        if owner is None or owner == place.path:
            _check_whole(place, stat, claims)
            _check_record(root, place.path)
            whole.add(place.path)
        else:
            _check_part(place, owner, claims.tracked[owner])
            parts.setdefault(owner, set()).add(_inside(place, owner))
    _refuse_twins(whole, claims)
    updates = [Update(path, claims.tracked.get(path)) for path in whole if not _above(path, whole)]
    updates += [
        Update(owner, claims.tracked[owner], _outermost(inside))
        for owner, inside in parts.items()
        if owner not in whole
    ]
    return tuple(sorted(updates, key=lambda update: update.path))


def _inside(place: Place, owner: RepoPath) -> TreePath:
    """Where a place lies in the tracked path `owner`.

    As it was written, of which only the number of components fits the owner's NFC.
    """
    return TreePath("/".join(place.written.split("/")[len(owner.split("/")) :]))


def _owner(path: RepoPath, claims: Claims) -> RepoPath | None:
    """The tracked path that `path` is or lies in."""
    while path != RepoPath.ROOT:
        if path in claims.tracked:
            return path
        path = path.parent
    return None


def _above(path: RepoPath, others: Iterable[RepoPath]) -> bool:
    return any(other != path and other.contains(path) for other in others)


def _outermost(parts: set[TreePath]) -> tuple[TreePath, ...]:
    """Those that lie in no other one of them, sorted."""
    found: list[TreePath] = []
    for part in sorted(parts, key=lambda part: part.split("/")):
        if not (found and part.startswith(found[-1] + "/")):
            found.append(part)
    return tuple(found)


def _look(root: str, place: Place) -> Stat | None:
    """What is at a place, None where nothing is. Raises for links, on the way and at its end."""
    absolute = root
    *folders, last = place.written.split("/")
    for folder in folders:
        absolute = os.path.join(absolute, folder)
        stat = lstat(absolute)
        if stat is not None and stat.is_link:
            raise LinkInTheWayError(
                f"{place.written} can't be tracked",
                why=f"{folder} on the way to it is a symbolic link",
                hint="Name the path that the link leads to, or move the data into the project",
            )
    stat = lstat(os.path.join(absolute, last))
    if stat is not None and not (stat.is_file or stat.is_dir):
        raise unsupported(place.written, stat.mode)
    return stat


def _check_whole(place: Place, stat: Stat | None, claims: Claims) -> None:
    path = place.path
    if path.endswith(SUFFIX) and (stat is None or not stat.is_dir):
        data = path.removesuffix(SUFFIX)
        raise UsageError(
            f"{path} is a record of tracked data, not data",
            hint=f"Track the data itself: `pivot track {data}`",
        )
    if stat is None:
        raise _missing(path, claims)
    if place.written != path:
        raise PathError(
            f"{place.written!r} can't be tracked",
            why="its name is in decomposed form (NFD), which file systems spell differently",
            hint="Rename it, or track the folder that it lies in",
        )
    for other, stage in claims.outs.items():
        if path.contains(other) or other.contains(path):
            raise _overlaps_out(path, other, stage)
    for other in claims.tracked:
        if other != path and path.contains(other):
            raise OverlapError(
                f"{path} contains {other}, which is tracked on its own",
                why="only one record can say what a path holds",
                hint=f"Run `pivot untrack {other}` first",
            )


def _check_record(root: str, path: RepoPath) -> None:
    """Its `.pvt` file must be one that is found again, and must take no other one's place."""
    folder = hidden_by(root, path)
    if folder is not None:
        raise UsageError(
            f"{path} can't be tracked from here",
            why=f"{folder} is an environment, a folder of packages, or a project of its own",
            hint=f"If it is a project, run `pivot -C {folder} track`; otherwise move the data",
        )
    stat = lstat(os.path.join(root, pvt_path(path)))
    if stat is not None and not stat.is_file:
        raise UsageError(
            f"{pvt_path(path)} is a folder or a link",
            why=f"the record of {path} has that name",
            hint=f"Rename it, or {path}",
        )


def _check_part(place: Place, owner: RepoPath, content: Content) -> None:
    if content.type is not ContentType.DIRECTORY:
        raise UsageError(
            f"{place.written} can't be tracked",
            why=f"{owner} is tracked as a file",
            hint=f"Track all of it: `pivot track {owner}`",
        )


def _missing(path: RepoPath, claims: Claims) -> PivotError:
    if path in claims.tracked:
        return UsageError(
            f"{path} is gone",
            why="it is tracked, and nothing is there that could be tracked anew",
            hint=f"Bring it back with `pivot pull {path}`, or let go of it with"
            f" `pivot untrack {path}`",
        )
    near = nearest(path, claims.tracked)
    return UsageError(
        f"{path} doesn't exist",
        hint=f"Did you mean {near}?" if near else "Name a file or folder that is there",
    )


def _overlaps_out(path: RepoPath, out: RepoPath, stage: StageName) -> OverlapError:
    what = "is" if path == out else "contains" if path.contains(out) else "lies in"
    return OverlapError(
        f"{path} {what} {out}, an out of stage {stage}" if what != "is"
        else f"{path} is an out of stage {stage}",
        why="an out is kept with its stage's lock, and only one record can say what a path holds",
        hint="Track another path; `pivot list --deps` shows what stages write",
    )  # fmt: skip


def _refuse_twins(whole: set[RepoPath], claims: Claims) -> None:
    """Names that some file systems take for one can't both be restored there."""
    others = {path: path.casefold() for path in (*claims.tracked, *claims.outs, *whole)}
    for path in sorted(whole):
        folded = others[path]
        for other, other_folded in others.items():
            if _meet(folded, other_folded) and not _meet(path, other):
                raise OverlapError(
                    f"{path} and {other} differ in upper and lower case only",
                    why="file systems of macOS and Windows take them for one",
                    hint="Rename one of them",
                )


def _meet(one: str, other: str) -> bool:
    """Whether one path is the other or lies in it."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
