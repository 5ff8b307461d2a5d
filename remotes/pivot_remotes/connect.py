"""From a URL to a backend: the only place that knows all schemes and composes all wrappers."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from pivot_remotes import options as option
from pivot_remotes.addresses import split
from pivot_remotes.backend import Backend
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import BadAddress
from pivot_remotes.loading import load
from pivot_remotes.retrying import Patience, Retrying
from pivot_remotes.tracing import Trace, Tracing

type Opener = Callable[[str, Mapping[str, str]], Backend]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_COMMON: Final = frozenset({"attempts", "publish"})


def scheme_of(url: str) -> str:
    """The scheme of a remote's URL in lower case; `file` for a plain path.

    Raises `BadAddress` for an unknown scheme and for chained URLs.
    """
    if "::" in url:
        raise BadAddress("chained URLs (`::`) can't be used as a remote")
    match = _SCHEME.match(url)
    scheme = "file" if match is None else match[1].lower()
    if scheme not in _OPENERS:
        raise BadAddress(
            f"remotes of scheme {scheme!r} are not supported",
            hint="Use `s3://bucket/folder`, `file:///folder` or the path of a folder",
        )
    return scheme


def connect(url: str, options: Mapping[str, str], *, trace: Trace | None = None) -> Backend:
    """Open a remote: `s3://bucket/folder`, `file:///folder` or an absolute path.

    Any remote has the options `attempts` (1 to 100, default 5) and `publish` (true or false), which
    is for whoever writes listings for readers that can't list; those of S3 are in
    `pivot_remotes.s3.settings`. Requests are counted into `trace` where one is given. The storage
    itself isn't asked yet, so that it exists shows at the first call.

    Raises `BadAddress` for a URL or an option that can't be used, `AccessDenied` where there are
    no credentials, `Unsupported` where an extra isn't installed.
    """
    scheme = scheme_of(url)
    patience = Patience(attempts=option.count(options, "attempts", Patience().attempts))
    option.boolean(options, "publish")
    own = {name: text for name, text in options.items() if name not in _COMMON}
    backend = _OPENERS[scheme](url, own)
    if trace is not None:
        backend = Tracing(backend, trace)
    return Retrying(backend, patience)


def _open_directory(url: str, options: Mapping[str, str]) -> Backend:
    option.check_known(options, frozenset(), "file")
    path = url
    if _SCHEME.match(url):
        parts = split(url, form="file:///folder")
        if parts.netloc not in ("", "localhost"):
            raise BadAddress(f"{url!r} names no folder here", hint="Write it as `file:///folder`")
        path = unquote(parts.path)
    if not path.startswith("/") or "\0" in path:
        raise BadAddress(f"{url!r} is no absolute path", hint="Write it as `file:///folder`")
    return DirectoryBackend(os.path.normpath(path))


def _open_s3(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.s3.backend", extra="s3").open_bucket(
        url, options, os.environ
    )
    return backend


def _open_memory(url: str, options: Mapping[str, str]) -> Backend:
    """Objects in this process, for tests: the same name is the same storage."""
    option.check_known(options, frozenset(), "memory")
    backend: Backend = load("pivot_remotes.memory", extra="memory").open_memory(url)
    return backend


_OPENERS: Final[Mapping[str, Opener]] = {
    "file": _open_directory,
    "memory": _open_memory,
    "s3": _open_s3,
}
