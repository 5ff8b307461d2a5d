"""The remotes of a project: which one is meant, whether it may be used, and opening it."""

import os
from collections.abc import Mapping

from pivot.config import Config, RemoteConfig, environment_name
from pivot.errors import DeniedError, UsageError, nearest
from pivot.hashing import hash_bytes
from pivot.project.confirmed import address_digest, confirm, confirmed_file, is_confirmed
from pivot.transfer.remote import RemoteStore
from pivot_remotes.addresses import shown


def choose(config: Config, environ: Mapping[str, str], name: str | None) -> RemoteConfig:
    """The remote called `name`, or without one the default, or the only one there is.

    Raises `UsageError` where that doesn't name a remote.
    """
    remotes = config.remotes(environ)
    wanted = name or config.text("remote.default")
    if wanted is None and len(remotes) == 1:
        return next(iter(remotes.values()))
    if wanted is None:
        raise UsageError(
            "no remote was named" if remotes else "this project has no remote",
            why="there are several and none is the default" if remotes else None,
            hint="Make one the default: `pivot config set remote.default NAME`"
            if remotes
            else "Add one with `pivot remote add NAME URL --default`",
        )
    if wanted not in remotes:
        near = nearest(wanted, remotes)
        raise UsageError(
            f"there is no remote {wanted!r}",
            hint=f"Did you mean {near!r}?" if near else "`pivot remote list` shows them",
        )
    return remotes[wanted]


def absolute_url(url: str, root: str) -> str:
    """A URL, or a path made absolute: relative ones start at the project's root."""
    if "://" in url or "::" in url:
        return url
    return os.path.normpath(os.path.join(root, os.path.expanduser(url)))


def shown_url(url: str, root: str) -> str:
    """The absolute URL as people may see it: without what could be a credential."""
    return shown(absolute_url(url, root))


def allow(remote: RemoteConfig, root: str, environ: Mapping[str, str], *, yes: bool) -> None:
    """Raise `DeniedError` for an address from the repository that nobody here has confirmed.

    With `yes` it is confirmed by this.
    """
    url = absolute_url(remote.url, root)
    endpoint = remote.options.get("endpoint_url")
    digest = address_digest(url, endpoint)
    file = confirmed_file(environ)
    if yes:
        confirm(file, digest)
    elif remote.from_repository and not is_confirmed(file, digest):
        place = shown(url) if endpoint is None else f"{shown(url)} at {shown(endpoint)}"
        raise DeniedError(
            f"remote {remote.name!r} ({place}) was not confirmed on this machine",
            why="its address came with the repository, and data and credentials would go there",
            hint="If you trust it, add `--yes` once, as in `pivot pull --yes`; in CI set"
            f" {environment_name(remote.name)}",
        )


def open_remote(remote: RemoteConfig, root: str, cache: str) -> RemoteStore:
    """The remote as a store; nothing is asked of it yet. `cache` is the project's store."""
    url = absolute_url(remote.url, root)
    return RemoteStore.at(url, remote.options, index_cache(remote, root, cache))


def index_cache(remote: RemoteConfig, root: str, cache: str) -> str:
    """The folder for copies of what a remote lists; another address has another one."""
    url = absolute_url(remote.url, root)
    identity = f"{url}\n{remote.options.get('endpoint_url', '')}"
    return os.path.join(cache, "remotes", hash_bytes(identity.encode()).hex()[:16])
