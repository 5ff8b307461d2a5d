"""Putting contents in their places: verified while written, and atomically per path.

What was there is replaced, and must be held elsewhere: deciding that is the room `checkout`.
Nothing is synced: what a power failure takes from the workspace, the store still has.
"""

import contextlib
import errno
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import batched
from typing import Self

from pivot.clock import FileClock
from pivot.errors import EditedError, PivotError
from pivot.files import Stat, lstat
from pivot.forking import useful
from pivot.landing import Folders, Staging, move_in, open_folder
from pivot.merging import merge, missing
from pivot.paths import RepoPath, TreePath
from pivot.state import WORTH_REMEMBERING, FileRow, Hashed, Memory, State
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.walking import Linked
from pivot.workspace import Look, Workspace
from pivot.writing import (
    BATCH_BYTES,
    BATCH_FILES,
    Advance,
    File,
    HelpFailedError,
    Keep,
    TreeWriter,
    is_executable,
    unseen,
    write_file,
)

_NEW = "new"
_AT_ONCE = 1000


class PlacingError(PivotError):
    """The disk refused what was to be written; what was there is as it was."""

    code = "placing"


def place(
    workspace: Workspace,
    state: State,
    store: Store,
    path: RepoPath,
    content: Content,
    advance: Advance = unseen,
    look: Look | None = None,
) -> None:
    """Write a content to its path; what was there is replaced, and must be held.

    Nothing of it is visible before every byte was verified. Raises `EditedError` if by then the
    path isn't any more as it was at the `look`; without one that isn't asked.
    """
    with _named(path):
        if content.type is ContentType.DIRECTORY:
            _Directory(workspace, state, store, path, content, advance).replace(look)
        else:
            _place_file(workspace, state, store, path, content, advance, look)


def fill(
    workspace: Workspace,
    state: State,
    store: Store,
    path: RepoPath,
    content: Content,
    advance: Advance = unseen,
) -> None:
    """Write what is missing of a directory that is there; nothing in it is replaced."""
    with _named(path):
        _Directory(workspace, state, store, path, content, advance).fill()


def lacks(workspace: Workspace, store: Store, path: RepoPath, content: Content) -> bool:
    """Whether files or folders of `content` are missing in the directory at `path`."""
    with open_folder(workspace.root, path) as fd:
        return next(missing(fd, store.tree(content)), None) is not None


@contextlib.contextmanager
def _named(path: RepoPath) -> Iterator[None]:
    """Raise what the disk refuses in the block as an error that names what was to be written."""
    try:
        yield
    except OSError as error:
        hint = "Make room or give permission there, then run it again"
        if error.errno == errno.EXDEV:
            hint = "Its folder is on another disk than `.pivot`: keep both on the same one"
        raise PlacingError(
            f"{path} can't be written", why=error.strerror or str(error), hint=hint
        ) from error


def _place_file(
    workspace: Workspace,
    state: State,
    store: Store,
    path: RepoPath,
    content: Content,
    advance: Advance,
    look: Look | None,
) -> None:
    with Staging.make(workspace.root) as staging:
        out = staging.create(_NEW, executable=is_executable(content))
        stat = write_file(store, content, out, advance)
        if content.size > WORTH_REMEMBERING:
            state.clock.settle(stat)
        # Once in place it may be edited: what is racy by then is left to be read again.
        is_clean = content.size > WORTH_REMEMBERING and not state.clock.is_racy(stat)
        _refuse_edited(workspace, path, content, look)
        move_in(staging, _NEW, workspace.root, path)
    if is_clean:
        row = (path, stat, Hashed(content.id, content.recipe))
        state.record_files(_moved(workspace.root, state.clock, [row]))


def _refuse_edited(
    workspace: Workspace,
    path: RepoPath,
    content: Content,
    look: Look | None,
    linked: Linked | None = None,
) -> None:
    """Raise `EditedError` if a path changed since the look at it, to other than what is wanted."""
    if look is None or workspace.holds_still(path, look, linked):
        return
    if not workspace.look(path).shows(content):
        raise EditedError(
            f"{path} was edited in the meantime",
            why="it may hold what nothing else has, and was left as it is",
            hint="Run the same again: it looks at everything anew",
        )


class _Directory:
    """A directory on its way to its place, with what is known of its files."""

    def __init__(
        self,
        workspace: Workspace,
        state: State,
        store: Store,
        path: RepoPath,
        content: Content,
        advance: Advance,
    ) -> None:
        self._workspace = workspace
        self._root = workspace.root
        self._state = state
        self._store = store
        self._path = path
        self._content = content
        self._advance = advance
        self._newest: Stat | None = None
        self._written: set[int] = set()
        self._linked: dict[int, tuple[int, int | None]] = {}

    def replace(self, look: Look | None) -> None:
        """Write all of it anew, but for files that are in place and known to be unchanged."""
        with Staging.make(self._root) as staging:
            for helpers in self._attempts():
                # What an attempt that failed had linked loses those names again.
                self._linked = {n: (before, None) for n, (before, _) in self._linked.items()}
                with (
                    staging.make_folder(_NEW) as new,
                    _Unchanged.open(self._state, self._root, self._path, self._linked) as unchanged,
                    contextlib.suppress(HelpFailedError),
                ):
                    self._writer(new, unchanged.keep, helpers).write(
                        self._store.tree(self._content)
                    )
                    break
            self._settle()
            _refuse_edited(self._workspace, self._path, self._content, look, self._linked)
            move_in(staging, _NEW, self._root, self._path)
        self._take_over(self._linked)

    def fill(self) -> None:
        """Write what is missing, and link it in file by file; what is there is never touched."""
        with Staging.make(self._root) as staging, open_folder(self._root, self._path) as target:
            for helpers in self._attempts():
                with staging.make_folder(_NEW) as new, contextlib.suppress(HelpFailedError):
                    self._writer(new, _keep_none, helpers).write(
                        missing(target, self._store.tree(self._content))
                    )
                    self._settle()
                    merge(new, target)
                    break
        self._take_over(self._written)

    def _attempts(self) -> Iterator[int]:
        """How many processes to work with; if one fails, all is done again without."""
        is_large = (self._content.files or 0) > BATCH_FILES or self._content.size > BATCH_BYTES
        helpers = useful() if is_large else 0
        if helpers:
            yield helpers
        yield 0

    def _writer(self, fd: int, keep: Keep, helpers: int) -> TreeWriter:
        return TreeWriter(self._store, fd, keep, self._wrote, self._advance, helpers)

    def _wrote(self, files: Sequence[File], states: Sequence[Stat]) -> None:
        """Remember files before they are in place: nobody else can change them yet."""
        rows = zip(files, states, strict=True)
        self._state.record_files(
            (
                (f"{self._path}/{path}", stat, Hashed(content.id, content.recipe))
                for (path, content), stat in rows
            ),
            may_be_racy=True,
        )
        self._written.update(stat.inode for stat in states)
        self._newest = max(states[-1], self._newest or states[-1], key=lambda stat: stat.ctime_ns)

    def _settle(self) -> None:
        """Let a tick pass: once in place, a file may be edited within that of its writing."""
        if self._newest is not None:
            self._state.clock.settle(self._newest)
            if self._state.clock.is_racy(self._newest):
                self._state.forget_below(self._path)

    def _take_over(self, inodes: Collection[int]) -> None:
        """Remember files that we linked under the times that this gave them.

        No others: of those a new ctime may be all that an edit left.
        """
        if not inodes:
            return
        known = self._state.files_below(self._path)
        ours = (row for row in known if row[1].inode in inodes)
        for rows in batched(ours, _AT_ONCE, strict=False):
            self._state.record_files(_moved(self._root, self._state.clock, rows))


class _Unchanged:
    """Files of a directory that are known to hold what is wanted: they are linked, not written."""

    def __init__(
        self,
        state: State,
        path: RepoPath,
        fd: int | None,
        linked: dict[int, tuple[int, int | None]],
    ) -> None:
        self._folders = None if fd is None else Folders(fd, make=False)
        self._memory = Memory(state, path)
        self._path = path
        self._linked = linked

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, state: State, root: str, path: RepoPath, linked: dict[int, tuple[int, int | None]]
    ) -> Iterator[Self]:
        """What is known of the directory at `path`, if one is there; adds to `linked`."""
        with contextlib.ExitStack() as stack:
            try:
                fd = stack.enter_context(open_folder(root, path))
            except OSError:
                fd = None
            self = cls(state, path, fd, linked)
            if self._folders is not None:
                stack.callback(self._folders.close)
            yield self

    def keep(self, path: TreePath, content: Content, folder: int) -> bool:
        """Give an unchanged file a second name in `folder`; False where that can't be."""
        if self._folders is None:
            return False
        row = self._memory.find(f"{self._path}/{path}")
        if row is None or row[2].id != content.id:
            return False
        before, _, name = path.rpartition("/")
        try:
            source = self._folders.enter(before)
            stat = Stat.of(os.lstat(name, dir_fd=source))
            if stat != row[1] or stat.is_executable != is_executable(content):
                return False
            os.link(name, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        except OSError:
            return False
        since = os.lstat(name, dir_fd=folder)
        self._linked[stat.inode] = (stat.ctime_ns, since.st_ctime_ns)
        return True


def _keep_none(_path: TreePath, _content: Content, _folder: int) -> bool:
    return False


def _moved(root: str, clock: FileClock, rows: Iterable[FileRow]) -> Iterator[FileRow]:
    """Files that were renamed or linked have a new ctime; left out if anything else changed."""
    for path, before, hashed in rows:
        now = lstat(os.path.join(root, path))
        if now is not None and now != before and now._replace(ctime_ns=before.ctime_ns) == before:
            clock.settle(now)
            yield path, now, hashed
