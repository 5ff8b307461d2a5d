"""Deciding what a checkout writes, leaves alone, and must not touch.

Bytes in the workspace may be replaced if and only if they are held elsewhere; all else is the
user's and is kept, and named file by file.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pivot.errors import EditedError, MissingDataError
from pivot.files import lstat
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType
from pivot.store.tree import TreeEntry
from pivot.workspace import Look, Workspace

NAMED = 20

type Tree = Callable[[Content], Iterator[TreeEntry]]


@dataclass(frozen=True, slots=True)
class CheckoutPlan:
    """What restoring would do.

    Attributes:
        place: what is to be written, by path.
        fill: directories of which only what is missing is to be written.
        unchanged: paths that hold their content already.
        edited: files with bytes that nothing else has, below paths that are to be written.
        absent: paths whose content the store lacks.
        looks: what was compared of the paths that are to be written.
        left: paths that are there and were not compared: they are let be, whatever they hold.
    """

    place: Mapping[RepoPath, Content]
    unchanged: tuple[RepoPath, ...]
    edited: tuple[str, ...]
    absent: tuple[RepoPath, ...]
    fill: Mapping[RepoPath, Content] = field(default_factory=dict)
    looks: Mapping[RepoPath, Look] = field(default_factory=dict)
    left: tuple[RepoPath, ...] = ()


def plan_checkout(
    workspace: Workspace,
    entries: Mapping[RepoPath, Content],
    holds: Callable[[Content], bool],
    tree: Tree,
) -> CheckoutPlan:
    """Compare what paths should hold with what they do hold.

    `holds`: is a content elsewhere? `tree`: the entries of a directory that the store holds.
    """
    place: dict[RepoPath, Content] = {}
    fill: dict[RepoPath, Content] = {}
    unchanged: list[RepoPath] = []
    edited: list[str] = []
    absent: list[RepoPath] = []
    looks: dict[RepoPath, Look] = {}
    for path, content in entries.items():
        look = workspace.look(path)
        now = look.content
        if look.shows(content):
            unchanged.append(path)
        elif not holds(content):
            absent.append(path)
        elif now is not None and _has_only_lost(workspace, path, now, content, tree):
            fill[path] = content
        else:
            place[path], looks[path] = content, look
            if now is not None:
                edited.extend(workspace.unheld_files(path, now, holds))
    return CheckoutPlan(place, tuple(unchanged), tuple(edited), tuple(absent), fill, looks)


def _has_only_lost(
    workspace: Workspace, path: RepoPath, now: Content, wanted: Content, tree: Tree
) -> bool:
    """Whether a directory holds nothing but what is wanted, so that adding the rest will do."""
    stat = lstat(workspace.absolute(path))
    if stat is None or not stat.is_dir or (now.files or 0) >= (wanted.files or 0):
        return False
    entries = tree(wanted)
    return all(entry in entries for entry in workspace.entries(path))  # both are in order


def plan_missing(
    workspace: Workspace,
    entries: Mapping[RepoPath, Content],
    holds: Callable[[Content], bool],
    lacks: Callable[[RepoPath, Content], bool],
) -> CheckoutPlan:
    """What is to be written where all that is there is to be left alone.

    `lacks`: whether something of a directory that the store holds is missing at a path.
    """
    place: dict[RepoPath, Content] = {}
    fill: dict[RepoPath, Content] = {}
    unchanged: list[RepoPath] = []
    absent: list[RepoPath] = []
    left: list[RepoPath] = []
    for path, content in entries.items():
        stat = lstat(workspace.absolute(path))
        is_folder = stat is not None and stat.is_dir and content.type is ContentType.DIRECTORY
        if stat is not None and not is_folder:
            left.append(path)
        elif not holds(content):
            is_whole = is_folder and workspace.content(path) == content
            (unchanged if is_whole else absent).append(path)
        elif not is_folder:
            place[path] = content
        elif lacks(path, content):
            fill[path] = content
        else:
            left.append(path)
    looks = dict.fromkeys(place, Look(None, None))
    return CheckoutPlan(place, tuple(unchanged), (), tuple(absent), fill, looks, tuple(left))


def refuse_edited(plan: CheckoutPlan) -> None:
    """Raise `EditedError` if the plan would overwrite the user's bytes."""
    if plan.edited:
        named = ", ".join(plan.edited[:NAMED])
        more = len(plan.edited) - NAMED
        raise EditedError(
            f"edited data would be lost: {named}{f' and {more} more' if more > 0 else ''}",
            why="nothing else holds these bytes",
            hint="Keep a copy, then run `pivot checkout --force`",
        )


def refuse_absent(plan: CheckoutPlan) -> None:
    """Raise `MissingDataError` if the store lacks something."""
    if plan.absent:
        raise MissingDataError(
            f"the cache lacks the data of {', '.join(plan.absent[:NAMED])}",
            hint="Run `pivot pull`; what a stage made, `pivot repro` makes again",
        )
