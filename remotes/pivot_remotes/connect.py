"""From a URL to a backend: the only place that composes all wrappers."""

from collections.abc import Mapping

from pivot_remotes import options as option
from pivot_remotes import schemes
from pivot_remotes.backend import Backend
from pivot_remotes.errors import BadAddress
from pivot_remotes.foreign import Foreign
from pivot_remotes.limits import Limiting, Limits
from pivot_remotes.loading import load
from pivot_remotes.reading import ReadOnly
from pivot_remotes.retrying import Patience, Retrying
from pivot_remotes.schemes import MEANT, SCHEMES, Opener
from pivot_remotes.tracing import Trace, Tracing


def scheme_of(url: str) -> str:
    """The scheme of a remote's URL in lower case; `file` for a plain path.

    Raises `BadAddress` for chained URLs.
    """
    if "::" in url:
        raise BadAddress("chained URLs (`::`) can't be used as a remote")
    match = schemes.NAME.match(url)
    return "file" if match is None else match[1].lower()


def secret_options(scheme: str) -> frozenset[str]:
    """Options of a scheme whose values are credentials: nobody shares or prints them.

    Of schemes that Pivot doesn't know itself none is named, and any may be one.
    """
    return SCHEMES[scheme].secrets if scheme in SCHEMES else frozenset()


def harmless_options(scheme: str) -> frozenset[str]:
    """Options that can't lead data or credentials elsewhere, those of every remote among them.

    All others should be trusted before they are used where they come from somebody else.
    """
    return option.COMMON | SCHEMES[scheme].harmless if scheme in SCHEMES else option.COMMON


def connect(
    url: str,
    options: Mapping[str, str],
    *,
    trace: Trace | None = None,
    allowed: frozenset[str] = frozenset(),
) -> Backend:
    """Open a remote: a URL of a scheme that is known, or an absolute path.

    Schemes that Pivot doesn't know are opened by an installed plugin (`pivot_remotes.plugins`), or
    by fsspec if they are in `allowed`, which is for the user to say and for no repository.

    Any remote has these options; those of a storage are in its `settings`:

    - `attempts`: tries of a call, 1 to 100, default 5;
    - `connections`: calls at once, 1 to 100;
    - `limit_rate`: bytes a second, such as `10M`;
    - `publish`: true for whoever writes listings for readers that can't list;
    - `read_only`: true to refuse whatever writes.

    Requests are counted into `trace` where one is given. The storage itself isn't asked yet, so
    that it exists shows at the first call.

    Raises `BadAddress` for a URL or an option that can't be used, `AccessDenied` where there are
    no credentials, `Unsupported` where an extra isn't installed.
    """
    scheme = scheme_of(url)
    patience = Patience(attempts=option.count(options, "attempts", Patience().attempts))
    limits = Limits(
        connections=option.count(options, "connections", None),
        rate=option.size(options, "limit_rate"),
    )
    option.boolean(options, "publish")
    own = {name: text for name, text in options.items() if name not in option.COMMON}
    backend = _opener(scheme, allowed)(url, own)
    if option.boolean(options, "read_only"):
        backend = ReadOnly(backend)
    return _wrapped(backend, trace, limits, patience)


def _wrapped(backend: Backend, trace: Trace | None, limits: Limits, patience: Patience) -> Backend:
    """Each wrapper around those that must not see its work.

    Repetitions are limited and counted like first attempts, and waiting for one takes no place
    among the connections.
    """
    if trace is not None:
        backend = Tracing(backend, trace)
    if limits:
        backend = Limiting(backend, limits)
    return Retrying(backend, patience)


def _opener(scheme: str, allowed: frozenset[str]) -> Opener:
    """What opens remotes of a scheme; raises `BadAddress` where nothing does, or may."""
    if scheme in SCHEMES:
        return SCHEMES[scheme].open
    if scheme in MEANT:
        meant = f"{MEANT[scheme]}://"
        raise BadAddress(
            f"remotes of scheme {scheme!r} are not supported", hint=f"Begin it with `{meant}`"
        )
    plugin: Opener | None = load("pivot_remotes.plugins", extra="plugins").find(scheme)
    if plugin is not None:
        return plugin
    other = load("pivot_remotes.other", extra="other")
    if scheme in allowed:
        return lambda url, options: Foreign(other.open_other(url, scheme, options))
    if other.is_known(scheme):
        raise BadAddress(
            f"remotes of scheme {scheme!r} were not allowed on this machine",
            why="`remote.schemes` of your own configuration doesn't name it",
            hint=f"Run `pivot config set --user remote.schemes {scheme}`",
        )
    raise BadAddress(
        f"remotes of scheme {scheme!r} are not supported",
        hint="Use `s3://bucket/folder`, `gs://bucket/folder`, `az://container/folder`,"
        " `sftp://host/folder`, `https://host/folder`, `webdavs://host/folder`, `file:///folder`"
        " or the path of a folder",
    )
