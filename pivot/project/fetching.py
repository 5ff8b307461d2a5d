"""Results that a remote has, for a run that would otherwise compute them again.

Planning asks the copies of the remote's indexes alone. Only a run that may fetch lists them anew,
once, and only when something it needs isn't here.
"""

import os
from collections.abc import Callable, Mapping

from pivot.config import Config, RemoteConfig
from pivot.errors import MissingDataError, PivotError
from pivot.paths import RepoPath
from pivot.project.remotes import allow, choose, index_cache, open_remote
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.sync.fetch import fetch
from pivot.transfer.known import obtainable


class RemoteResults:
    """What the default remote is known to have, and getting it.

    `warn` is told, once, why a remote couldn't be asked; without it no remote is asked at all.
    """

    def __init__(
        self, config: Config, root: str, store: Store, warn: Callable[[str], None] | None
    ) -> None:
        self._config = config
        self._root = root
        self._store = store
        self._warn = warn
        self._chosen = self._choose()
        self._has = self._known()

    def _choose(self) -> RemoteConfig | None:
        """The remote, if there is one that may be used; nothing is asked for on the way."""
        if self._config.text("run.fetch") == "never":
            return None
        try:
            remote = choose(self._config, os.environ, None)
            allow(remote, self._root, os.environ, yes=False)
        except PivotError:
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
        if self._chosen is None or self._warn is None:
            return False
        warn, self._warn = self._warn, None
        try:
            remote = open_remote(self._chosen, self._root, self._store.root)
            remote.open()
        except PivotError as error:
            if self._config.text("run.fetch") == "require":
                raise
            warn(f"warning: remote {self._chosen.name!r} wasn't asked: {error}")
            return False
        self._has = self._known()
        return self._has(content)

    def bring(self, contents: Mapping[RepoPath, Content]) -> None:
        """Fetch into the store. Raises `MissingDataError` without a remote to ask."""
        if self._chosen is None:
            raise MissingDataError("no remote has it", hint="Run `pivot pull`")
        fetch(self._store, open_remote(self._chosen, self._root, self._store.root), contents)


def _nothing(_: Content) -> bool:
    return False
