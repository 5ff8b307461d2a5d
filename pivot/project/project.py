"""A project's parts, each opened at first use. Nothing here loads definitions.

This file, `planner.py` and `code.py` are the only ones that import rooms late: a no-op must not pay
for Git, for remotes, or for the analysis of code that didn't change.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from pivot.config import Config
from pivot.errors import DeniedError, NoProjectError
from pivot.hashing import ObjectId
from pivot.lock.folder import list_locks, read_lock
from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.project.foreign import refuse_foreign
from pivot.project.layout import Layout, find_project
from pivot.settings import Source
from pivot.state import State
from pivot.store.access import keep_from_git
from pivot.store.content import Content
from pivot.store.gate import Waiting
from pivot.store.projects import here, register
from pivot.store.pushers import Pusher
from pivot.store.store import Store
from pivot.track.finding import Denied, find_tracked, raise_denied
from pivot.track.pvt import read_pvt
from pivot.workspace import Workspace

if TYPE_CHECKING:
    from pivot.git.addresses import Clone
    from pivot.git.repository import Repository


class Project:
    """A project and its parts. `close` keeps what was learned."""

    def __init__(self, layout: Layout, waiting: Waiting | None = None) -> None:
        """`waiting` is told for whom this project waits when another one keeps the cache."""
        self.layout = layout
        self._waiting = waiting

    @classmethod
    def find(cls, start: str, waiting: Waiting | None = None) -> "Project":
        """The project that `start` lies in. Raises `NoProjectError`."""
        return cls(find_project(start), waiting)

    @property
    def root(self) -> str:
        return self.layout.root

    def close(self) -> None:
        if "state" in self.__dict__:
            self.state.close()

    # -- parts --------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        config = Config.load(self.root)
        refuse_foreign(config, self.root, self.state, self._is_tracked)
        return config

    def _is_tracked(self, path: str) -> bool:
        """Whether Git has the file at an absolute path."""
        from pivot.git.repository import WorkPath

        repository = self.repository
        if repository is None:
            return False
        return bool(repository.tracked([WorkPath(os.path.relpath(path, repository.workdir))]))

    @cached_property
    def state(self) -> State:
        return State.open(self.layout.state)

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.root, self.state)

    def file_id(self, absolute: str) -> ObjectId | None:
        """The id of a file anywhere, from the stat cache where it can be; None if none is there."""
        return self.workspace.file_id(self._from_root(absolute))

    def file_ids(self, paths: Iterable[str]) -> dict[str, ObjectId | None]:
        """The same of many files, absolute or from the project's root."""
        names = {path: self._from_root(path) for path in paths}
        ids = self.workspace.file_ids(names.values())
        return {path: ids[name] for path, name in names.items()}

    def _from_root(self, path: str) -> str:
        if not path.startswith(os.sep):
            return path
        inside = path.removeprefix(self.root + os.sep)
        return os.path.relpath(path, self.root) if inside == path else inside

    @cached_property
    def store(self) -> Store:
        level = self.config.number("cache.level") or 1
        store = Store.open(self.cache, level=level, waiting=self._waiting)
        if not self._contains(store.root):
            self._register(store.root)
        elif not store.root.startswith(self.layout.folder + os.sep):
            keep_from_git(store.root)
        return store

    def _register(self, cache: str) -> None:
        """Note this project in a cache elsewhere; one that can only be read needs no note."""
        try:
            register(cache, here(self.root))
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise

    @cached_property
    def cache(self) -> str:
        """The folder of the store. Raises `DeniedError` for one that only the repository names."""
        value, source = self.config.get("cache.dir")
        folder = os.path.normpath(os.path.join(self.root, os.path.expanduser(str(value))))
        if source is Source.PROJECT and not self._contains(folder):
            raise DeniedError(
                f"cache.dir is {folder}, outside of the project",
                why="the setting came with the repository, which must not say where to write",
                hint=f"If you want that, run `pivot config set --local cache.dir {folder}`",
            )
        return folder

    def _contains(self, folder: str) -> bool:
        """Whether a folder lies in the project also where links on the way are followed."""
        return all(f.startswith(self.root + os.sep) for f in (folder, os.path.realpath(folder)))

    @cached_property
    def repository(self) -> "Repository | None":
        """The Git repository around the project; None outside of one."""
        from pivot.git.repository import Repository

        return Repository.discover(self.root)

    @cached_property
    def clone(self) -> "Clone | None":
        """Where the project's repository is cloned from; None outside of one."""
        from pivot.git.addresses import ask_git

        told = ask_git(self.root, os.environ)
        if told is not None or self.repository is None:
            return told
        from pivot.git.clone import clone_of

        return clone_of(self.repository)

    def need_repository(self) -> "Repository":
        if self.repository is None:
            raise NoProjectError(
                "this project is in no Git repository", hint="Run `git init` in its root"
            )
        return self.repository

    def pusher(self) -> Pusher:
        """The project that is noted in a remote that this clone pushes to."""
        from pivot.project.pushers import pusher_of

        return pusher_of(self.root, self.clone)

    # -- locks and tracked data ---------------------------------------------------------------

    def locks(self) -> dict[StageName, Lock]:
        """All locks of the workspace. Raises `UnreadableLockError` for one that can't be read."""
        found: dict[StageName, Lock] = {}
        for name in list_locks(self.layout.locks):
            lock = read_lock(self.layout.locks, name)
            if lock is not None:
                found[name] = lock
        return found

    def tracked(self, *, denied: Denied = raise_denied) -> dict[RepoPath, Content]:
        """What `.pvt` files of the workspace say of the paths that they track.

        Raises `UnreadableLockError` for one that can't be read. A folder that can't be listed could
        hide some: `denied` is told, and by default raises `DeniedError`.
        """
        return self.tracked_beside(self.locks(), denied=denied)

    def tracked_beside(
        self, locks: Mapping[StageName, Lock], *, denied: Denied = raise_denied
    ) -> dict[RepoPath, Content]:
        """`tracked` for whoever has the locks already."""
        outs = {path for lock in locks.values() for path in lock.outs}
        names = find_tracked(self.root, outs=outs, denied=denied)
        read = ((path, read_pvt(self.root, path)) for path in names)
        return {path: content for path, content in read if content is not None}
