"""Restoring contents into the workspace: verified while written, atomically per path.

Bytes in the workspace may be replaced if and only if they are held elsewhere; all else is the
user's and is kept, and named file by file.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.files import Stat
from pivot.landing import Staging, TreeWriter, move_in
from pivot.paths import RepoPath
from pivot.state import FileRow, Hashed, State, settle
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
            if now is not None and not holds(now):
                edited.extend(edited_files(workspace, path, now, holds))
    return CheckoutPlan(place, tuple(unchanged), tuple(edited), tuple(absent))


def edited_files(
    workspace: Workspace, path: RepoPath, now: Content, holds: Callable[[Content], bool]
) -> Iterator[str]:
    """The files at or below `path` whose bytes aren't held; the path itself if all of them are."""
    if now.type is not ContentType.DIRECTORY:
        yield path
        return
    found = False
    for name, content in workspace.files(path):
        if not holds(content):
            found = True
            yield name
    if not found:
        yield path


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
    project = workspace.root
    with Staging.make(project) as staging:
        if content.type is ContentType.DIRECTORY:
            rows = _write_tree(staging, state, store, workspace.absolute(path), path, content)
            move_in(staging, "new", project, path)
        else:
            _write(store, content, staging.create("new", executable=is_executable(content)))
            move_in(staging, "new", project, path)
            stat = Stat.of(os.lstat(workspace.absolute(path)))
            rows = [(path, stat, Hashed(content.id, content.recipe))]
    if rows:
        settle(rows[-1][1])
    state.record_files(rows)


def is_executable(content: Content) -> bool:
    return content.type is ContentType.EXECUTABLE


def _write_tree(
    staging: Staging, state: State, store: Store, current: str, path: RepoPath, content: Content
) -> list[FileRow]:
    os.mkdir("new", dir_fd=staging.fd)
    fd = os.open("new", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=staging.fd)
    writer = TreeWriter(fd)
    rows: list[FileRow] = []
    try:
        for entry in store.tree(content):
            if entry.content is None:
                writer.make_folder(entry.path)
                continue
            key, file = f"{path}/{entry.path}", entry.content
            if _is_unchanged(state, key, os.path.join(current, entry.path), file) and writer.link(
                entry.path, os.path.join(current, entry.path)
            ):
                continue
            out = writer.create(entry.path, executable=is_executable(file))
            rows.append((key, _write(store, file, out), Hashed(file.id, file.recipe)))
    finally:
        writer.close()
        os.close(fd)
    return rows


def _is_unchanged(state: State, key: str, absolute: str, content: Content) -> bool:
    """Whether a file of the workspace is known to hold `content` already."""
    try:
        stat = Stat.of(os.lstat(absolute))
    except OSError:
        return False
    if not stat.is_file or stat.is_executable != is_executable(content):
        return False
    known = state.file(key, stat)
    return known is not None and known.id == content.id


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
