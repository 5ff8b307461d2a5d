"""The remotes of a project as givers of what it lacks: which ones, and in which order."""

from collections.abc import Callable, Mapping
from functools import cache

from pivot.config import Config, RemoteConfig
from pivot.project.remotes import allow, choose, open_remote
from pivot.sync.givers import Giver
from pivot.transfer.remote import RemoteStore


def givers(
    config: Config,
    root: str,
    store: str,
    environ: Mapping[str, str],
    name: str | None = None,
    *,
    yes: bool = False,
) -> tuple[Giver, ...]:
    """The remotes that may be asked: the one called `name`, or without one all of them.

    The default comes first, the others as they are configured. `store` is the folder of the
    project's store. Whether a remote is confirmed is asked when it is opened; with `yes` the first
    one is confirmed by this, also where nothing will be lacking. The others aren't: nobody was
    shown their addresses. Raises `UsageError` where there is none, or none of that name.
    """
    remotes = chosen(config, environ, name)
    if yes:
        allow(remotes[0], root, environ, yes=True)
    return tuple(Giver(remote.name, opened(remote, root, store, environ)) for remote in remotes)


def chosen(
    config: Config, environ: Mapping[str, str], name: str | None = None
) -> tuple[RemoteConfig, ...]:
    """Their configurations, in the same order. Raises `UsageError` likewise."""
    remotes = config.remotes(environ)
    if name is not None or not remotes or config.text("remote.default") is not None:
        first = choose(config, environ, name)
        others = () if name is not None else (r for r in remotes.values() if r.name != first.name)
        return (first, *others)
    return tuple(remotes.values())


def opened(
    remote: RemoteConfig, root: str, store: str, environ: Mapping[str, str]
) -> Callable[[], RemoteStore]:
    """Makes a remote ready, once: raises `DeniedError` for one that isn't confirmed."""

    @cache
    def make() -> RemoteStore:
        allow(remote, root, environ, yes=False)
        return open_remote(remote, root, store)

    return make
