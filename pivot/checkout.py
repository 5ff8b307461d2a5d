"""Restoring contents into the workspace: verified while written, atomically per path.

Bytes in the workspace may be replaced if and only if they are held elsewhere; all else is the
user's and is kept, and named file by file.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.files import Stat, lstat
from pivot.landing import Staging, TreeWriter, move_in
from pivot.paths import RepoPath
from pivot.state import WORTH_REMEMBERING, FileRow, Hashed, State, is_racy, settle
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.workspace import Workspace

NAMED = 20


class EditedError(PivotError):
    """Data in the workspace that nothing else has would be overwritten."""

    code = "edited"


@dataclass(frozen=True, slots=True)
class CheckoutPlan:
    """What restoring would do.

    Attributes:
        place: what is to be written, by path.
        unchanged: paths that hold their content already.
        edited: files with bytes that nothing else has, below paths that are to be written.
        absent: paths whose content the store lacks.
    """

    place: Mapping[RepoPath, Content]
    unchanged: tuple[RepoPath, ...]
    edited: tuple[str, ...]
    absent: tuple[RepoPath, ...]


def plan_checkout(
    workspace: Workspace,
    entries: Mapping[RepoPath, Content],
    holds: Callable[[Content], bool],
    *,
    only_missing: bool = False,
) -> CheckoutPlan:
    """Compare what paths should hold with what they do hold. `holds`: is a content elsewhere?"""
    place: dict[RepoPath, Content] = {}
    unchanged: list[RepoPath] = []
    edited: list[str] = []
    absent: list[RepoPath] = []
    for path, content in entries.items():
        now = workspace.content(path)
        if now is not None and (only_missing or (now.id, now.type) == (content.id, content.type)):
            unchanged.append(path)
        elif not holds(content):
            absent.append(path)
        else:
            place[path] = content
            if now is not None:
                edited.extend(workspace.unheld_files(path, now, holds))
    return CheckoutPlan(place, tuple(unchanged), tuple(edited), tuple(absent))


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
            hint="Run `pivot pull`, or `pivot repro` to make it again",
        )


def place(
    workspace: Workspace, state: State, store: Store, path: RepoPath, content: Content
) -> None:
    """Write a content to its path; what was there is replaced, and must be held.

    Nothing of it is visible before every byte was verified.
    """
    moved: list[FileRow] = []
    with Staging.make(workspace.root) as staging:
        if content.type is ContentType.DIRECTORY:
            rows, moved = _write_tree(
                staging, state, store, workspace.absolute(path), path, content
            )
        else:
            out = staging.create("new", executable=is_executable(content))
            stat = _write(store, content, out)
            rows = []
            if content.size > WORTH_REMEMBERING:
                moved = [(path, stat, Hashed(content.id, content.recipe))]
                settle(stat)
        # Once in place it may be edited: what is racy by then is left to be read again.
        rows = [row for row in rows if not is_racy(row[1])]
        move_in(staging, "new", workspace.root, path)
    state.record_files(rows)
    state.record_files(_after_move(workspace, moved))


def _after_move(workspace: Workspace, rows: Iterable[FileRow]) -> Iterator[FileRow]:
    """Files that were renamed or linked have a new ctime; left out if anything else changed."""
    for path, before, hashed in rows:
        now = lstat(os.path.join(workspace.root, path))
        if now is not None and replace(now, ctime_ns=before.ctime_ns) == before:
            settle(now)
            yield path, now, hashed


def is_executable(content: Content) -> bool:
    return content.type is ContentType.EXECUTABLE


def _write_tree(
    staging: Staging, state: State, store: Store, current: str, path: RepoPath, content: Content
) -> tuple[list[FileRow], list[FileRow]]:
    """Write a directory as `new`: the states of files that were written, and of linked ones."""
    os.mkdir("new", dir_fd=staging.fd)
    fd = os.open("new", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=staging.fd)
    writer = TreeWriter(fd)
    rows: list[FileRow] = []
    linked: list[FileRow] = []
    try:
        for entry in store.tree(content):
            if entry.content is None:
                writer.make_folder(entry.path)
                continue
            key, file = f"{path}/{entry.path}", entry.content
            source = os.path.join(current, entry.path)
            stat = _unchanged(state, key, source, file)
            if stat is not None and writer.link(entry.path, source):
                linked.append((key, stat, Hashed(file.id, file.recipe)))
                continue
            out = writer.create(entry.path, executable=is_executable(file))
            rows.append((key, _write(store, file, out), Hashed(file.id, file.recipe)))
    finally:
        writer.close()
        os.close(fd)
    return rows, linked


def _unchanged(state: State, key: str, absolute: str, content: Content) -> Stat | None:
    """The state of a file of the workspace that is known to hold `content` already."""
    stat = lstat(absolute)
    if stat is None or not stat.is_file or stat.is_executable != is_executable(content):
        return None
    known = state.file(key, stat)
    return stat if known is not None and known.id == content.id else None


def _write(store: Store, content: Content, fd: int) -> Stat:
    """Write a file's verified bytes to an open descriptor, and close it."""
    with open(fd, "wb", buffering=0) as f:
        size = 0
        for part in store.stream(content):
            view = memoryview(part)
            size += view.nbytes
            if size > content.size:
                break
            while view.nbytes:
                view = view[f.write(view) :]
        if size != content.size:
            raise IntegrityError(f"object {content.id.hex()[:12]} has another size than declared")
        return Stat.of(os.fstat(fd))
