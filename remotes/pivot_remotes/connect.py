"""From a URL to a backend: the only place that knows all schemes and composes all wrappers."""

from collections.abc import Mapping
from typing import Final

from pivot_remotes import options as option
from pivot_remotes import schemes
from pivot_remotes.backend import Backend
from pivot_remotes.errors import BadAddress
from pivot_remotes.reading import ReadOnly
from pivot_remotes.retrying import Patience, Retrying
from pivot_remotes.schemes import SCHEMES
from pivot_remotes.tracing import Trace, Tracing

_COMMON: Final = frozenset({"attempts", "publish", "read_only"})


def scheme_of(url: str) -> str:
    """The scheme of a remote's URL in lower case; `file` for a plain path.

    Raises `BadAddress` for an unknown scheme and for chained URLs.
    """
    if "::" in url:
        raise BadAddress("chained URLs (`::`) can't be used as a remote")
    match = schemes.NAME.match(url)
    scheme = "file" if match is None else match[1].lower()
    if scheme not in SCHEMES:
        raise BadAddress(
            f"remotes of scheme {scheme!r} are not supported",
            hint="Use `s3://bucket/folder`, `file:///folder` or the path of a folder",
        )
    return scheme


def secret_options(scheme: str) -> frozenset[str]:
    """Options of a scheme whose values are credentials: nobody shares or prints them."""
    return SCHEMES[scheme].secrets if scheme in SCHEMES else frozenset()


def harmless_options(scheme: str) -> frozenset[str]:
    """Options that can't lead data or credentials elsewhere, those of every remote among them.

    All others should be trusted before they are used where they come from somebody else.
    """
    return _COMMON | SCHEMES[scheme].harmless if scheme in SCHEMES else _COMMON


def connect(
    url: str,
    options: Mapping[str, str],
    *,
    trace: Trace | None = None,
    allowed: frozenset[str] = frozenset(),  # noqa: ARG001 - no scheme needs it yet
) -> Backend:
    """Open a remote: `s3://bucket/folder`, `file:///folder` or an absolute path.

    Any remote has the options `attempts` (1 to 100, default 5), `publish` (true or false), which
    is for whoever writes listings for readers that can't list, and `read_only` (true or false),
    with which nothing can be written; those of S3 are in `pivot_remotes.s3.settings`. Requests
    are counted into `trace` where one is given. The storage itself isn't asked yet, so that it
    exists shows at the first call.

    Raises `BadAddress` for a URL or an option that can't be used, `AccessDenied` where there are
    no credentials, `Unsupported` where an extra isn't installed.
    """
    scheme = scheme_of(url)
    patience = Patience(attempts=option.count(options, "attempts", Patience().attempts))
    option.boolean(options, "publish")
    own = {name: text for name, text in options.items() if name not in _COMMON}
    backend = SCHEMES[scheme].open(url, own)
    if option.boolean(options, "read_only"):
        backend = ReadOnly(backend)
    if trace is not None:
        backend = Tracing(backend, trace)
    return Retrying(backend, patience)
