"""Who we say we are: what the options give, else what `~/.netrc` has for the host."""

import netrc
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from urllib3.util import make_headers

from pivot_remotes.errors import BadAddress
from pivot_remotes.http.settings import HttpSettings


def authorization(settings: HttpSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """The headers that say it; none where nothing is known.

    Raises `BadAddress` where there is a `~/.netrc` that can't be read.
    """
    if settings.token is not None:
        return {"authorization": f"Bearer {settings.token}"}
    user, password = settings.username, settings.password
    if user is None:
        user, password = _of_netrc(urlsplit(settings.base).hostname or "", environ)
    return {} if user is None else dict(make_headers(basic_auth=f"{user}:{password}"))


def _of_netrc(host: str, environ: Mapping[str, str]) -> tuple[str, str] | tuple[None, None]:
    """What it says of this very host: its `default` would go to any."""
    path = environ.get("NETRC") or os.path.join(environ.get("HOME", ""), ".netrc")
    try:
        found = netrc.netrc(path).hosts.get(host)
    except FileNotFoundError:
        return None, None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:
        raise BadAddress(f"{path} can't be read", why=type(error).__name__) from error
    return (None, None) if found is None else (found[0], found[2] or "")
