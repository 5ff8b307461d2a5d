"""Results that a remote has, for a run that would otherwise compute them again.

Planning asks the copies of the remote's indexes alone. Only a run that may fetch lists them anew,
once, and only when something it needs isn't here.
"""

import os
from collections.abc import Callable, Iterator, Mapping

from pivot.config import Config, RemoteConfig
from pivot.errors import MissingDataError, PivotError
from pivot.paths import RepoPath
from pivot.project.remotes import allow, choose, index_cache, open_remote
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.sync.fetch import fetch, fetch_tree
from pivot.transfer.known import obtainable
from pivot.transfer.lanes import JOBS


class RemoteResults:
    """What the default remote is known to have, and getting it.

    `warn` is told why a remote couldn't be asked or couldn't give something; without it no remote
    is asked at all. Where `run.fetch` is `require`, that is an error instead.
    """

    def __init__(
        self, config: Config, root: str, store: Store, warn: Callable[[str], None] | None
    ) -> None:
        self._config = config
        self._root = root
        self._store = store
        self._warn = warn
        self._policy = config.text("run.fetch")
        self._refusal: PivotError | None = None
        self._chosen = self._choose()
        self._has = self._known()
        self._is_listed = False

    def _choose(self) -> RemoteConfig | None:
        """The remote, if there is one that may be used; nothing is asked for on the way."""
        if self._policy == "never" or (
            self._policy == "auto" and not self._config.remotes(os.environ)
        ):
            return None
        try:
            remote = choose(self._config, os.environ, None)
            allow(remote, self._root, os.environ, yes=False)
        except PivotError as error:
            self._refusal = error
            return None
        return remote

    def _known(self) -> Callable[[Content], bool]:
        if self._chosen is None:
            return _nothing
        return obtainable(index_cache(self._chosen, self._root, self._store.root))

    def has(self, content: Content) -> bool:
        """Whether the remote has a content; lists it first, where that is allowed and new."""
        if self._has(content):
            return True
        if self._warn is None or self._is_listed:
            return False
        self._is_listed = True
        try:
            self._list()
        except PivotError as error:
            self._tell(error)
        return self._has(content)

    def bring(self, contents: Mapping[RepoPath, Content]) -> None:
        """Fetch into the store.

        Raises `MissingDataError` if that can't be, whatever it was, unless `run.fetch` is
        `require`: then what it was.
        """
        if self._chosen is None:
            raise MissingDataError("no remote has it", hint="Run `pivot pull`")
        jobs = self._config.number("remote.jobs") or JOBS
        try:
            remote = open_remote(self._chosen, self._root, self._store.root)
            fetch(self._store, remote, contents, jobs=jobs)
        except PivotError as error:
            self._tell(error)
            raise MissingDataError(error.message, why=error.why, hint=error.hint) from error

    def tree(self, content: Content) -> Iterator[TreeEntry]:
        """The entries of a directory, from the store or else from the remote; none is kept.

        Raises `MissingDataError` where that can't be, unless `run.fetch` is `require`.
        """
        if self._store.holds(content):
            return self._store.tree(content)
        if self._chosen is None or self._warn is None:
            raise MissingDataError("no remote has it", hint="Run `pivot pull`")
        return self._remote_tree(self._chosen, content)

    def _remote_tree(self, chosen: RemoteConfig, content: Content) -> Iterator[TreeEntry]:
        try:
            yield from fetch_tree(
                self._store, open_remote(chosen, self._root, self._store.root), content
            )
        except PivotError as error:
            self._tell(error)
            raise MissingDataError(error.message, why=error.why, hint=error.hint) from error

    def _list(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._chosen is not None:
            open_remote(self._chosen, self._root, self._store.root).open()
            self._has = self._known()

    def _tell(self, error: PivotError) -> None:
        """Warn, or raise `error` where the remote is required."""
        if self._policy == "require":
            raise error
        if self._warn is not None:
            self._warn(f"warning: the remote wasn't used: {error}")
            if error.hint is not None:
                self._warn(f"hint: {error.hint}")


def _nothing(_: Content) -> bool:
    return False
