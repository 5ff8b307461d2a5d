"""What web servers answer and urllib3 raises, as errors of this package.

Statuses: https://datatracker.ietf.org/doc/html/rfc9110#section-15 and, for WebDAV,
https://datatracker.ietf.org/doc/html/rfc4918#section-11
"""

import contextlib
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    HTTPError,
    InvalidChunkLength,
    LocationValueError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004 - the library's name
)

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
    Unsupported,
)
from pivot_remotes.http.settings import HttpSettings

_BUSY: Final = frozenset({408, 423, 425, 429})
_CREDENTIALS: Final = (
    "Set the remote's options `username` and `password`, or `token`, or name the host in ~/.netrc"
)


@contextlib.contextmanager
def translated(settings: HttpSettings) -> Iterator[None]:
    """Raise what urllib3 raises in the block as an error that names the server."""
    try:
        yield
    except (HTTPError, OSError) as error:
        raise of(error, settings) from error


def of(error: HTTPError | OSError, settings: HttpSettings) -> RemoteError:
    """The error of this package for one of urllib3's; never its text, which may quote a URL."""
    cause = error.original_error if isinstance(error, ProxyError) else error
    if isinstance(cause, SSLError | ssl.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return RemoteError(
            f"the certificate of {settings.address} is not trusted",
            why=_verdict(cause),
            hint="Set the remote's option `ca_file` to the certificates of who signed it",
        )
    if isinstance(error, LocationValueError):
        return BadAddress(f"{settings.address} can't be used as an address")
    why = "it doesn't answer" if isinstance(error, TimeoutError) else "the connection failed"
    if isinstance(error, ProxyError):
        why = "the proxy that the environment names doesn't let it through"
    elif isinstance(error, InvalidChunkLength) or "IncompleteRead" in str(error):
        why = "the connection broke off"
    return Unreachable(
        f"{settings.address} can't be reached",
        why=why,
        hint="Check the network and the remote's URL",
    )


def refused(response: BaseHTTPResponse, settings: HttpSettings, key: str) -> RemoteError:
    """The error for a status that is no success."""
    status, address = response.status, settings.address
    why = f"status {status}"
    match status:
        case 401:
            known = "authorization was refused" if _gave(settings) else "it asks who you are"
            return AccessDenied(
                f"access to {address} is denied",
                why=known,
                hint=_CREDENTIALS,
                final=_gave(settings),
            )
        case 403:
            return AccessDenied(
                f"access to {address} is denied", why=why, hint="Ask its owner for permission"
            )
        case 407:
            return AccessDenied(
                f"access to {address} is denied",
                why="the proxy asks who you are",
                hint="Put user and password into the URL of the proxy in the environment",
                final=True,
            )
        case 404 | 410:
            return NotFound(f"{key or 'nothing'} isn't in {address}")
        case 416:
            return Truncated(f"{key} in {address} is shorter than expected")
        case 405 | 501:
            return Unsupported(f"{address} can't do this", why=why)
        case 507:
            return RemoteError(f"{address} is full", hint="Make room there, then run it again")
    if status in _BUSY or status >= 500:
        return Busy(f"{address} can't serve now", why=why, retry_after=_retry_after(response))
    if 300 <= status < 400:
        return BadAddress(
            f"{address} is at another address", why=why, hint="Look it up, and use that"
        )
    return RemoteError(f"{address} failed" + (f" at {key}" if key else ""), why=why)


def _gave(settings: HttpSettings) -> bool:
    return settings.token is not None or settings.username is not None


def _verdict(error: Exception) -> str:
    """What the check of a certificate says, without the library's own decoration."""
    text = str(error)
    return text.partition("CERTIFICATE_VERIFY_FAILED]")[2].partition("(_ssl")[0].strip()


def _retry_after(response: BaseHTTPResponse) -> float | None:
    """Seconds, which the header has as a number or as a date."""
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
