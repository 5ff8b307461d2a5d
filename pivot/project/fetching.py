"""Results that remotes have, for a run that would otherwise compute them again.

Planning asks the copies of the remotes' indexes alone. Only a run that may fetch lists them anew,
once each, and only when something it needs is neither here nor in a remote before.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pivot.config import Config, RemoteConfig
from pivot.errors import MissingDataError, PivotError
from pivot.paths import RepoPath
from pivot.project.givers import chosen, opened
from pivot.project.remotes import allow, index_cache
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.sync.gather import gather, gather_tree
from pivot.sync.givers import Giver, Givers, Trouble
from pivot.transfer.jobs import JOBS
from pivot.transfer.known import obtainable


@dataclass(slots=True)
class _Known:
    """A remote, and what it is known to have; `refusal` says why it may not be used."""

    config: RemoteConfig
    has: Callable[[Content], bool]
    refusal: PivotError | None = None
    is_listed: bool = False


class RemoteResults:
    """What the remotes are known to have, and getting it.

    `warn` is told why a remote couldn't be asked or couldn't give something; without it no remote
    is asked at all. Where `run.fetch` is `require`, that is an error instead, unless another one
    gives it.
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
        self._remotes = self._choose()

    def _choose(self) -> tuple[_Known, ...]:
        """The remotes, if there are some; nothing is asked for on the way."""
        if self._policy == "never" or (
            self._policy == "auto" and not self._config.remotes(os.environ)
        ):
            return ()
        try:
            return tuple(map(self._known, chosen(self._config, os.environ)))
        except PivotError as error:
            self._refusal = error
            return ()

    def _known(self, config: RemoteConfig) -> _Known:
        try:
            allow(config, self._root, os.environ, yes=False)
        except PivotError as error:
            return _Known(config, _nothing, error)
        return _Known(config, self._copies(config))

    def _copies(self, config: RemoteConfig) -> Callable[[Content], bool]:
        return obtainable(index_cache(config, self._root, self._store.root))

    def has(self, content: Content) -> bool:
        """Whether a remote has a content; lists those that are new, where that is allowed."""
        if any(remote.has(content) for remote in self._remotes):
            return True
        if self._warn is None:
            return False
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            self._tell(refusal)
        return self._has_listed(content)

    def _has_listed(self, content: Content) -> bool:
        failures: list[tuple[_Known, PivotError]] = []
        for remote in self._remotes:
            if remote.is_listed:
                continue
            remote.is_listed = True
            try:
                self._list(remote)
            except PivotError as error:
                failures.append((remote, error))
            if remote.has(content):
                break
        else:
            if failures and self._policy == "require":
                raise failures[0][1]
        for failed, why in failures:
            self._note(failed.config.name, why)
        return any(remote.has(content) for remote in self._remotes)

    def bring(self, contents: Mapping[RepoPath, Content]) -> None:
        """Fetch into the store.

        Raises `MissingDataError` if that can't be, whatever it was, unless `run.fetch` is
        `require`: then what it was.
        """
        jobs = self._config.number("remote.jobs") or JOBS
        givers = self._givers()
        try:
            gather(self._store, givers, contents, jobs=jobs)
        except PivotError as error:
            self._tell(error)
            raise MissingDataError(error.message, why=error.why, hint=error.hint) from error

    def tree(self, content: Content) -> Iterator[TreeEntry]:
        """The entries of a directory, from the store or else from a remote; none is kept.

        Raises `MissingDataError` where that can't be, unless `run.fetch` is `require`.
        """
        if self._store.holds(content):
            return self._store.tree(content)
        if self._warn is None:
            raise _no_remote()
        return self._remote_tree(self._givers(), content)

    def _remote_tree(self, givers: Givers, content: Content) -> Iterator[TreeEntry]:
        try:
            yield from gather_tree(self._store, givers, content)
        except PivotError as error:
            self._tell(error)
            raise MissingDataError(error.message, why=error.why, hint=error.hint) from error

    def _givers(self) -> Givers:
        """Those that may be used; they are opened anew, since a run can take days."""
        usable = [remote.config for remote in self._remotes if remote.refusal is None]
        if not usable:
            raise _no_remote()
        where = self._root, self._store.root, os.environ
        return Givers(
            (Giver(config.name, opened(config, *where)) for config in usable), self._note_trouble
        )

    def _list(self, remote: _Known) -> None:
        if remote.refusal is not None:
            raise remote.refusal
        opened(remote.config, self._root, self._store.root, os.environ)().open()
        remote.has = self._copies(remote.config)

    def _note_trouble(self, trouble: Trouble) -> None:
        self._note(trouble.name, trouble.error)

    def _note(self, name: str, error: PivotError) -> None:
        """Warn that one of the remotes couldn't give something."""
        what = _unused(error) if len(self._remotes) == 1 else str(Trouble(name, error))
        self._say(what, error)

    def _tell(self, error: PivotError) -> None:
        """Warn, or raise `error` where a remote is required."""
        if self._policy == "require":
            raise error
        self._say(_unused(error), error)

    def _say(self, what: str, error: PivotError) -> None:
        if self._warn is not None:
            self._warn(f"warning: {what}")
            if error.hint is not None:
                self._warn(f"hint: {error.hint}")


def _unused(error: PivotError) -> str:
    return f"the remote wasn't used: {error}"


def _no_remote() -> MissingDataError:
    return MissingDataError("no remote has it", hint="Run `pivot pull`")


def _nothing(_: Content) -> bool:
    return False
