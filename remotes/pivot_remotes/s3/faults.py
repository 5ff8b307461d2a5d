"""obstore's exceptions as errors of this package; the only place that reads their text.

obstore 0.12 has one class for most failures, so status and S3's error code are taken from the
message. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from pivot_remotes.s3.settings import S3Settings

# What the message says before and after the parts that are looked at here.
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_PROVIDER = re.compile(r"External AWS credential provider: (\w+)")
_LOST = re.compile(r"HTTP error|kind: (?:Connect|Timeout|Interrupted|Request)\b")
_NOT_PARTIAL = "Received non-partial response"
_REDIRECT = "Received redirect"

_DENIED: Final = {
    "AccessDenied": (
        "the credentials don't allow this",
        "Run `aws sts get-caller-identity` to see whose they are",
    ),
    "InvalidAccessKeyId": ("the access key is unknown there", "Check AWS_ACCESS_KEY_ID"),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY"),
    "ExpiredToken": ("the session has expired", "Run `aws sso login`, or renew the credentials"),
    "ExpiredTokenException": (
        "the session has expired",
        "Run `aws sso login`, or renew the credentials",
    ),
    "TokenRefreshRequired": (
        "the session has expired",
        "Run `aws sso login`, or renew the credentials",
    ),
    "InvalidToken": ("the session token is wrong", "Check AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": ("this machine's clock is wrong", "Set the clock"),
}
_BUSY: Final = frozenset(
    {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "ThrottlingException"}
)
_ABSENT: Final = frozenset({"NoSuchKey", "NotFound"})


class RangeIgnoredError(RemoteError):
    """The server answered a ranged request by the whole object. Never leaves this room."""


@contextlib.contextmanager
def translated(settings: S3Settings, key: str = "") -> Iterator[None]:
    """Raise what obstore raises in the block as an error that names the bucket and `key`."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise of(error, settings, key) from error


def of(error: Exception, settings: S3Settings, key: str) -> RemoteError:
    """The error of this package for one of obstore's."""
    text = str(error)
    status = int(match[1]) if (match := _STATUS.search(text)) else 0
    code = match[1] if (match := _CODE.search(text)) else ""
    if isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403):
        return _denied(settings, code, text)
    if code in _DENIED:
        return _denied(settings, code, text)
    if code == "NoSuchBucket":
        return BadAddress(
            f"bucket {settings.bucket} doesn't exist at {settings.place}",
            hint="Check the remote's URL and endpoint",
        )
    if isinstance(error, FileNotFoundError) or code in _ABSENT:
        return NotFound(f"{key or 'nothing'} isn't in {settings.address}")
    if code in _BUSY or status == 429 or status >= 500:
        return Busy(f"{settings.address} can't serve now", why=code or f"status {status}")
    return _other(settings, key, text, status, code)


def _other(settings: S3Settings, key: str, text: str, status: int, code: str) -> RemoteError:
    if status == 416:
        return Truncated(f"{key} in {settings.address} is shorter than expected")
    if _NOT_PARTIAL in text:
        return RangeIgnoredError(f"{settings.place} ignores ranges")
    if _REDIRECT in text or code in ("PermanentRedirect", "AuthorizationHeaderMalformed"):
        return BadAddress(
            f"bucket {settings.bucket} is in another region",
            hint="Set the remote's option `region`, or AWS_REGION",
        )
    if _LOST.search(text):
        timeout = "kind: Timeout" in text
        return Unreachable(
            f"{settings.address} can't be reached",
            why=f"{settings.place} doesn't {'answer' if timeout else 'take or keep a connection'}",
            hint="Check the network and the remote's endpoint",
        )
    reason = code or (f"status {status}" if status else text.partition("\n")[0][:200])
    return RemoteError(f"{settings.address} failed" + (f" at {key}" if key else ""), why=reason)


def _denied(settings: S3Settings, code: str, text: str) -> AccessDenied:
    why: str | None
    if match := _PROVIDER.search(text):
        why, hint = f"botocore says {match[1]}", "Run `aws sso login`, or renew the credentials"
    else:
        why, hint = _DENIED.get(code, (code or None, _DENIED["AccessDenied"][1]))
    return AccessDenied(f"access to {settings.address} is denied", why=why, hint=hint)
