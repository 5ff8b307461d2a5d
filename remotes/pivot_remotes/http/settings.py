"""Where a folder on a web server is and how to get in: options first, then `~/.netrc`."""

import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from pivot_remotes import options as option
from pivot_remotes.addresses import split
from pivot_remotes.errors import BadAddress

SECRETS: Final = frozenset({"password", "token"})
HARMLESS: Final = frozenset({"connect_timeout", "read_timeout", "username"})
OPTIONS: Final = SECRETS | HARMLESS | {"ca_file"}


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """A folder on a server, and the ways to reach it.

    Attributes:
        address: the URL as the user wrote it, without a final `/`.
        base: the same with the scheme `http` or `https`.
        username: for basic authentication, with `password`; None for neither.
        token: for a bearer token; None for none.
        ca_file: certificates to trust instead of the system's.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for the next bytes of an answer.
    """

    address: str
    base: str
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    ca_file: str | None
    connect_timeout: float
    read_timeout: float

    @classmethod
    def read(cls, url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """Settings of `https://host/folder` or `webdavs://host/folder`, or without the `s`.

        Raises `BadAddress` where they contradict or can't be used.
        """
        scheme = url.partition("://")[0].lower()
        option.check_known(options, OPTIONS, scheme)
        form = f"{scheme}://host/folder"
        parts = split(url, form=form)
        try:
            known = parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:  # the port is no number, or too large a one
            known = False
        if not known or "%00" in parts.path or any(c <= " " for c in url):
            raise BadAddress("no host that can be used is named", hint=f"Write it as `{form}`")
        token, username = options.get("token"), options.get("username")
        password = options.get("password")
        if (username is None) != (password is None):
            raise BadAddress("username and password go together, one is missing")
        if token is not None and username is not None:
            raise BadAddress("token and username can't both be given")
        if token is None and username is None:
            username, password = _of_netrc(parts.hostname or "", environ)
        bare = url.partition("://")[2].rstrip("/")
        return cls(
            address=f"{scheme}://{bare}",
            base=f"{'https' if scheme.endswith('s') else 'http'}://{bare}",
            username=username,
            password=password,
            token=token,
            ca_file=options.get("ca_file"),
            connect_timeout=option.seconds(options, "connect_timeout", 10),
            read_timeout=option.seconds(options, "read_timeout", 60),
        )


def _of_netrc(host: str, environ: Mapping[str, str]) -> tuple[str, str] | tuple[None, None]:
    """What `~/.netrc` says of this very host: its `default` would go to any."""
    path = environ.get("NETRC") or os.path.join(environ.get("HOME", ""), ".netrc")
    try:
        found = netrc.netrc(path).hosts.get(host)
    except FileNotFoundError:
        return None, None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:
        raise BadAddress(f"{path} can't be read", why=type(error).__name__) from error
    return (None, None) if found is None else (found[0], found[2] or "")
