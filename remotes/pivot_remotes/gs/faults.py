"""What goes wrong with Google's storage, as errors of this package.

Reasons: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from aiohttp import ClientConnectorCertificateError, ClientError
from gcsfs.retry import HttpError  # type: ignore[import-untyped]
from google.auth.exceptions import GoogleAuthError, TransportError

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from pivot_remotes.gs.credentials import LOGIN
from pivot_remotes.gs.requests import AbsentError, RefusalError, of_batch
from pivot_remotes.gs.settings import GsSettings

_ROLE: Final = "Ask for the role `Storage Object User` on the bucket"
_PERMISSION: Final = re.compile(r"\bstorage\.[a-z]{1,30}\.[A-Za-z]{1,30}\b")
_NO_BUCKET: Final = re.compile(r"bucket does not exist|no such bucket", re.IGNORECASE)
_LIMITS: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})


@contextlib.contextmanager
def translated(settings: GsSettings, key: str = "", *, reads: bool = True) -> Iterator[None]:
    """Raise what gcsfs raises in the block as an error that names the bucket and `key`.

    Where nothing of the object at `key` is read, only the bucket can be what isn't found.
    """
    try:
        yield
    except (RefusalError, ClientError, GoogleAuthError, HttpError, OSError, ValueError) as error:
        if isinstance(error, AbsentError) and not reads:
            raise _no_bucket(settings) from error
        raise of(error, settings, key) from error


def of(error: Exception, settings: GsSettings, key: str) -> RemoteError:
    """The error of this package for one from below."""
    match error:
        case AbsentError() if _NO_BUCKET.search(error.message):
            return _no_bucket(settings)
        case FileNotFoundError():  # an `AbsentError`, or gcsfs itself found nothing to delete
            return NotFound(f"{key or 'nothing'} isn't in {settings.address}")
        case RefusalError():
            return _refused(error, settings, key)
        case TransportError():
            return _unreachable(settings, "Google's login service doesn't answer")
        case GoogleAuthError() | HttpError():  # from refreshing credentials
            return _denied(settings, "the login has expired or was revoked", LOGIN, final=True)
        case ClientConnectorCertificateError():
            return _unreachable(settings, f"the certificate of {settings.place} isn't trusted")
        case TimeoutError():
            return _unreachable(settings, f"{settings.place} doesn't answer")
        case ClientError() | ConnectionError():
            return _unreachable(settings, f"{settings.place} doesn't take or keep a connection")
    if (refusal := of_batch(str(error))) is not None:
        return _refused(refusal, settings, key)
    return RemoteError(_failed(settings, key), why=type(error).__name__)


def _no_bucket(settings: GsSettings) -> BadAddress:
    return BadAddress(
        f"bucket {settings.bucket} doesn't exist at {settings.place}",
        hint="Check the remote's URL and endpoint",
    )


def _refused(error: RefusalError, settings: GsSettings, key: str) -> RemoteError:
    why = error.reason or f"status {error.status}"
    if error.status in (408, 429) or error.status >= 500 or error.reason in _LIMITS:
        return Busy(f"{settings.address} can't serve now", why=why, retry_after=error.retry_after)
    if error.status == 416:
        return Truncated(f"{key} in {settings.address} is shorter than expected")
    if error.reason == "userProjectMissing":
        return BadAddress(
            f"whoever asks bucket {settings.bucket} must pay for it",
            hint="Set the remote's option `billing_project`",
        )
    if error.status == 401:
        return _denied(settings, "the credentials are missing, wrong or expired", LOGIN)
    if error.status == 403:
        permission = _PERMISSION.search(error.message)
        return _denied(settings, f"{permission[0]} isn't allowed" if permission else why, _ROLE)
    return RemoteError(_failed(settings, key), why=why)


def _denied(settings: GsSettings, why: str, hint: str, *, final: bool = False) -> AccessDenied:
    return AccessDenied(f"access to {settings.address} is denied", why=why, hint=hint, final=final)


def _unreachable(settings: GsSettings, why: str) -> Unreachable:
    return Unreachable(
        f"{settings.address} can't be reached",
        why=why,
        hint="Check the network and the remote's endpoint",
    )


def _failed(settings: GsSettings, key: str) -> str:
    return f"{settings.address} failed" + (f" at {key}" if key else "")
