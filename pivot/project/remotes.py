"""The remotes of a project: which one is meant, whether it may be used, and opening it."""

import os
from collections.abc import Iterable, Mapping
from shlex import quote

from pivot.config import Config, RemoteConfig
from pivot.errors import DeniedError, UsageError, nearest
from pivot.hashing import hash_bytes
from pivot.printable import printable
from pivot.project.confirmed import address_digest, confirm, confirmed_file, is_confirmed
from pivot.transfer.faults import translated
from pivot.transfer.remote import RemoteStore
from pivot.variables import environment_name
from pivot_remotes.addresses import shown
from pivot_remotes.connect import harmless_options, secret_options
from pivot_remotes.options import boolean
from pivot_remotes.schemes import SCHEMES

_ENDPOINT = "endpoint_url"


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
            hint="Make one the default: `pivot remote default NAME`"
            if remotes
            else "Add one with `pivot remote add NAME URL --default`",
        )
    if wanted not in remotes:
        raise unknown(wanted, remotes)
    return remotes[wanted]


def unknown(name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that no remote has."""
    near = nearest(name, known)
    return UsageError(
        f"there is no remote {name!r}",
        hint=f"Did you mean {near!r}?" if near else "`pivot remote list` shows them",
    )


def absolute_url(url: str, root: str) -> str:
    """A URL, or a path made absolute: relative ones start at the project's root."""
    if "://" in url or "::" in url:
        return url
    return os.path.normpath(os.path.join(root, os.path.expanduser(url)))


def scheme(url: str) -> str:
    """The scheme of a URL, known or not; `file` for a path."""
    name, separator, _ = url.partition("://")
    return name.lower() if separator else "file"


def shown_url(url: str, root: str) -> str:
    """The absolute URL as people may see it: without what could be a credential."""
    return printable(shown(absolute_url(url, root)))


def secrets_of(url: str, options: Iterable[str]) -> frozenset[str]:
    """The names of those options of a remote whose values nobody else may see.

    Of a scheme that Pivot doesn't know itself that could be any.
    """
    kind = scheme(url)
    names = frozenset(options)
    if kind in SCHEMES:
        return names & secret_options(kind)
    return names - harmless_options(kind)


def is_read_only(remote: RemoteConfig) -> bool:
    """Whether the configuration says that nothing is to be pushed there."""
    with translated(shown(remote.url)):
        return boolean(remote.options, "read_only") or False


def is_confirmed_here(remote: RemoteConfig, root: str, environ: Mapping[str, str]) -> bool:
    """Whether nothing of a remote waits for this machine's user to trust it."""
    if not remote.from_repository and not _leading(remote):
        return True
    return is_confirmed(confirmed_file(environ), _digest(remote, root))


def allow(remote: RemoteConfig, root: str, environ: Mapping[str, str], *, yes: bool) -> None:
    """Raise `DeniedError` for a remote from the repository that nobody here has confirmed.

    That is its address, and each option that could lead data or credentials elsewhere. With `yes`
    they are confirmed by this.
    """
    if yes:
        confirm(confirmed_file(environ), _digest(remote, root))
    elif not is_confirmed_here(remote, root, environ):
        what = "its address" if remote.from_repository else "a part of its options"
        variables = ["url", *_leading(remote)] if remote.from_repository else _leading(remote)
        given = ", ".join(environment_name(remote.name, name) for name in variables)
        command = f"pivot pull --yes -r {quote(remote.name)}"  # a name can be anything, too
        raise DeniedError(
            f"remote {remote.name!r} ({_place(remote, root)}) was not confirmed on this machine",
            why=f"{what} came with the repository, and data and credentials would go there",
            hint=f"If you trust it, run `{command}` once; in CI set {given}",
        )


def _leading(remote: RemoteConfig) -> list[str]:
    """The options of the repository that could lead data or credentials elsewhere."""
    return sorted(remote.shared - harmless_options(scheme(remote.url)))


def _digest(remote: RemoteConfig, root: str) -> str:
    """What is confirmed of a remote. An endpoint counts whoever names it."""
    others = {n: remote.options[n] for n in _leading(remote) if n != _ENDPOINT}
    return address_digest(
        absolute_url(remote.url, root), remote.options.get(_ENDPOINT), others or None
    )


def _place(remote: RemoteConfig, root: str) -> str:
    """Where a remote leads, for whoever has to trust it."""
    endpoint = remote.options.get(_ENDPOINT)
    hidden = secrets_of(remote.url, remote.options)
    others = [
        f"{name} {'***' if name in hidden else printable(shown(remote.options[name]))}"
        for name in _leading(remote)
        if name != _ENDPOINT
    ]
    at = "" if endpoint is None else f" at {printable(shown(endpoint))}"
    by = f" with {', '.join(others)}" if others else ""
    return f"{shown_url(remote.url, root)}{at}{by}"


def open_remote(remote: RemoteConfig, root: str, cache: str) -> RemoteStore:
    """The remote as a store; nothing is asked of it yet. `cache` is the project's store."""
    url = absolute_url(remote.url, root)
    copies = index_cache(remote, root, cache)
    return RemoteStore.at(url, remote.options, copies, allowed=remote.allowed)


def index_cache(remote: RemoteConfig, root: str, cache: str) -> str:
    """The folder for copies of what a remote lists; another place has another one."""
    leading = remote.options.keys() - harmless_options(scheme(remote.url))
    hidden = secrets_of(remote.url, remote.options)
    others = sorted(leading - hidden - {_ENDPOINT})
    parts = [absolute_url(remote.url, root), remote.options.get(_ENDPOINT, "")]
    parts += [f"{name}={remote.options[name]}" for name in others]
    return os.path.join(cache, "remotes", hash_bytes("\n".join(parts).encode()).hex()[:16])
