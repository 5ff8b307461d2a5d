"""obstore's exceptions as errors of this package; the only place that reads their text.

obstore 0.12 has one class for most failures, so status and error code are taken from the message.
The codes are a service's own, so its storage says what they mean (`Dialect`).
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

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

# What the message says before and after the parts that are looked at here.
_STATUS: Final = re.compile(r"non-2xx status code: (\d{3})|\(code: (\d{3})\)")
# The second is what Microsoft's logins answer.
_CODE: Final = re.compile(r"<Code>(\w{1,64})</Code>|\b(AADSTS\d{1,8})\b")
# It was no request to the storage that failed, but one for credentials.
_ASKING: Final = re.compile(
    r"External \w+ credential provider: (\w+)"
    r"|token request|federated token file|az account get-access-token|azure cli response"
)
_LOST: Final = re.compile(r"HTTP error|kind: (?:Connect|Timeout|Interrupted|Request)\b")
_TOO_SHORT: Final = "InvalidRangeRequest"
_NOT_PARTIAL: Final = "Received non-partial response"
_REDIRECT: Final = "Received redirect"


class Remedy(NamedTuple):
    """Why something failed, and what helps; `final`: nothing else would succeed before that."""

    why: str | None
    hint: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the error codes of a service mean.

    Attributes:
        denied: codes that say who may not, whatever their status.
        forbidden: what helps where access is denied by another code.
        renewal: what helps where credentials can't be had any more.
        busy: codes that ask to come back later.
        absent: codes that say that an object isn't there.
        nowhere: codes that say that the bucket or container isn't there.
        misdirected: codes that say that the URL or a setting is wrong; the reasons go on from
            the container's name.
        redirected: the same where the answer is a redirect.
    """

    denied: Mapping[str, Remedy]
    forbidden: str
    renewal: str
    busy: frozenset[str]
    absent: frozenset[str]
    nowhere: frozenset[str]
    misdirected: Mapping[str, Remedy]
    redirected: Remedy


@dataclass(frozen=True, slots=True)
class Faults:
    """Names the storage in its errors.

    Attributes:
        address: the remote's URL.
        container: what holds the objects there, as in `bucket data`.
        place: the host, for messages about the connection.
    """

    dialect: Dialect
    address: str
    container: str
    place: str

    @contextlib.contextmanager
    def translated(self, key: str = "") -> Iterator[None]:
        """Raise what obstore raises in the block as an error that names the storage and `key`."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise self.of(error, key) from error

    def of(self, error: Exception, key: str) -> RemoteError:
        """The error of this package for one of obstore's."""
        text = str(error)
        status = int(match[1] or match[2]) if (match := _STATUS.search(text)) else 0
        code = match[1] or match[2] if (match := _CODE.search(text)) else ""
        asking = _ASKING.search(text) and status < 500 and status != 429
        if asking and not _LOST.search(text):
            return self._denied(code, text)
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403):
            return self._denied(code, text)
        if code in self.dialect.denied:
            return self._denied(code, text)
        if code in self.dialect.nowhere:
            return BadAddress(
                f"{self.container} doesn't exist at {self.place}",
                hint="Check the remote's URL and endpoint",
            )
        if isinstance(error, FileNotFoundError) or code in self.dialect.absent:
            return NotFound(f"{key or 'nothing'} isn't in {self.address}")
        if code in self.dialect.busy or status == 429 or status >= 500:
            return Busy(f"{self.address} can't serve now", why=code or f"status {status}")
        return self._other(key, text, status, code)

    def _other(self, key: str, text: str, status: int, code: str) -> RemoteError:
        if status == 416 or _TOO_SHORT in text:
            return Truncated(f"{key} in {self.address} is shorter than expected")
        if _NOT_PARTIAL in text:
            return RangeIgnoredError(f"{self.place} ignores ranges")
        if _REDIRECT in text or code in self.dialect.misdirected:
            remedy = self.dialect.misdirected.get(code, self.dialect.redirected)
            return BadAddress(f"{self.container} {remedy.why}", hint=remedy.hint)
        if _LOST.search(text):
            silent = "kind: Timeout" in text
            who = "the login service" if _ASKING.search(text) else self.place
            return Unreachable(
                f"{self.address} can't be reached",
                why=f"{who} doesn't {'answer' if silent else 'take or keep a connection'}",
                hint="Check the network and the remote's endpoint",
            )
        reason = code or (f"status {status}" if status else _first_line(text))
        return RemoteError(f"{self.address} failed" + (f" at {key}" if key else ""), why=reason)

    def _denied(self, code: str, text: str) -> AccessDenied:
        if code in self.dialect.denied:
            remedy = self.dialect.denied[code]
        elif match := _ASKING.search(text):
            told = code or match[1]
            why = "credentials can't be had" + (f" ({told})" if told else "")
            remedy = Remedy(why, self.dialect.renewal, final=True)
        else:
            remedy = Remedy(code or None, self.dialect.forbidden)
        return AccessDenied(
            f"access to {self.address} is denied",
            why=remedy.why,
            hint=remedy.hint,
            final=remedy.final,
        )


class RangeIgnoredError(RemoteError):
    """The server answered a ranged request by the whole object. `obstore_backend` handles it."""


def _first_line(text: str) -> str:
    """What obstore says, without the query of a URL, which may be a signature."""
    return re.sub(r"\?\S+", "?***", text.partition("\n")[0])[:200]
