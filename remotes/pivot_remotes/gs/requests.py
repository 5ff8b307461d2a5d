"""gcsfs with requests of our own, so that their answers are seen as they came.

gcsfs repeats a failing request six times within a minute, logs each failure with a traceback, and
drops the reason that Google gives. Here a request is repeated twice within ten seconds, as obstore
does; more patience is `pivot_remotes.retrying`'s.
"""

import asyncio
import contextlib
import io
import json as json_text
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, RequestInfo
from fsspec.asyn import sync  # type: ignore[import-untyped]
from gcsfs.core import (  # type: ignore[import-untyped]
    GCSFileSystem,
    initiate_upload,
    upload_chunk,
)

from pivot_remotes.errors import RemoteError, Unreachable
from pivot_remotes.part import Part
from pivot_remotes.small import Small

type _Answer = tuple[int, Mapping[str, str], RequestInfo, bytes]
type _Taking = Callable[[ClientResponse], Awaitable[bytes]]

_WAITS: Final = (0.1, 0.4)  # seconds before each repetition
_LONGEST: Final = 10.0  # seconds after which nothing is repeated
_BUSY: Final = frozenset({408, 429, *range(500, 505)})
_PARTIAL: Final = 206
_REFUSED: Final = 400
_ABSENT: Final = 404
_CANCELLED: Final = 499  # the answer to giving up an upload
_BLOCK: Final = 1 << 20
_TYPE: Final = "application/octet-stream"
_LONGEST_REFUSAL: Final = 64 << 10
_LOST: Final = (ClientConnectionError, ClientPayloadError, TimeoutError)

# What it logs is raised as well.
logging.getLogger("gcsfs").addHandler(logging.NullHandler())


class RefusalError(Exception):
    """An answer that says no.

    Attributes:
        status: of HTTP.
        reason: Google's word for it; may be empty.
        message: Google's sentence; may be empty.
        retry_after: seconds that it asks to be left alone, where it says so.
    """

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class AbsentError(RefusalError, FileNotFoundError):
    """The same for what isn't there, which gcsfs knows as a `FileNotFoundError`."""


@dataclass(slots=True)
class _Landing:
    """How much of an object has come, and of which generation, so that all of it is of one."""

    write: Callable[[bytes], None]
    size: int = 0
    generation: str | None = None
    complete: bool = False


class Requests(GCSFileSystem):  # type: ignore[misc]
    """Google's storage as a file system; each call makes one request, if all goes well."""

    def get_small(self, path: str, make: Callable[[], Small]) -> bytes:
        """A whole object, which each try collects anew into what `make` gives."""

        async def take(answer: ClientResponse) -> bytes:
            small = make()
            async for block in answer.content.iter_chunked(_BLOCK):
                small.take(block)
            return small.whole()

        return self._content(path, take)

    def get_part(self, path: str, start: int, length: int) -> bytes:
        """Bytes of an object, fewer where it ends before; also from a server without ranges."""

        async def take(answer: ClientResponse) -> bytes:
            part = Part(0 if answer.status == _PARTIAL else start, length)
            async for block in answer.content.iter_chunked(_BLOCK):
                if part.take(block):
                    break
            return part.whole()

        return self._content(path, take, headers={"Range": f"bytes={start}-{start + length - 1}"})

    def _content(self, path: str, take: _Taking, **kwargs: Any) -> bytes:
        content: bytes = self.call("GET", self.url(path), take=take, **kwargs)[1]
        return content

    def receive(self, path: str, write: Callable[[bytes], None]) -> None:
        """Stream an object into `write`, which is called in another thread."""
        sync(self.loop, self._receive, path, _Landing(write))

    def send(self, path: str, parts: Iterable[bytes], size: int) -> None:
        """Put an object of `size` bytes by parts of multiples of 256 KiB, but for the last.

        It is visible when the last part has come, and not before. Format:
        https://cloud.google.com/storage/docs/performing-resumable-uploads
        """
        bucket, key, _ = self.split_path(path)
        place = sync(self.loop, initiate_upload, self, bucket, key)
        sent, done = 0, None
        try:
            for part in parts:
                done = sync(self.loop, upload_chunk, self, place, part, sent, size, _TYPE)
                sent += len(part)
            if sent != size:
                raise RemoteError(f"the source of {key} changed while it was sent")
            if not done:
                raise Unreachable(f"not all of {key} arrived")
        except BaseException:  # an interrupt, too, gives the upload up
            with contextlib.suppress(RefusalError, OSError, *_LOST):  # it is forgotten in a week
                self.call("DELETE", place)
            raise

    async def _receive(self, path: str, landing: _Landing) -> None:
        failures = 0
        while not landing.complete:
            try:
                await self._continue(path, landing)
            except _LOST:
                if failures == len(_WAITS) or (landing.size and landing.generation is None):
                    raise
                await asyncio.sleep(_WAITS[failures])
                failures += 1

    async def _continue(self, path: str, landing: _Landing) -> None:
        """Ask for what is still to come of an object."""
        headers = {"Range": f"bytes={landing.size}-"} if landing.size else {}
        url = self.url(path, generation=landing.generation)
        async with self._answered("GET", url, headers=headers) as answer:
            if landing.size and answer.status != _PARTIAL:
                raise ClientPayloadError("the rest was asked for, and all is sent")
            landing.generation = answer.headers.get("x-goog-generation")
            async for block in answer.content.iter_chunked(_BLOCK):
                landing.write(block)
                landing.size += len(block)
        landing.complete = True

    async def _request(
        self,
        method: str,
        path: str,
        *args: str,
        take: _Taking = ClientResponse.read,
        **kwargs: Any,
    ) -> _Answer:
        """What gcsfs makes all of its requests by; `take` reads the body of an answer."""
        clock = asyncio.get_running_loop()
        begun = clock.time()
        failures = 0
        while True:
            try:
                async with self._answered(method, path, *args, **kwargs) as answer:
                    content = await take(answer)
                    return answer.status, answer.headers, answer.request_info, content
            except (RefusalError, *_LOST) as error:
                late = clock.time() - begun > _LONGEST
                if late or failures == len(_WAITS) or not _is_passing(error):
                    raise
            await asyncio.sleep(_WAITS[failures])
            failures += 1

    @contextlib.asynccontextmanager
    async def _answered(
        self,
        method: str,
        path: str,
        *args: str,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | str | None = None,
        **params: Any,
    ) -> AsyncIterator[ClientResponse]:
        """Ask once; raises `RefusalError`."""
        await self._set_session()
        content = data.encode() if isinstance(data, str) else data
        async with self.session.request(
            method=method,
            url=self._format_path(path, args),
            params=self._get_params(params),
            json=json,
            headers=self._get_headers(headers),
            data=None if content is None else io.BytesIO(content),  # sent by blocks, unlike bytes
            timeout=self.requests_timeout,
        ) as answer:
            if answer.status >= _REFUSED and answer.status != _CANCELLED:
                body = await answer.content.read(_LONGEST_REFUSAL)
                raise _refusal(answer.status, body, answer.headers.get("Retry-After", ""))
            yield answer


def _is_passing(error: Exception) -> bool:
    """Whether the same request may work in a moment; one that says when is left to others."""
    if isinstance(error, RefusalError):
        return error.status in _BUSY and error.retry_after is None
    return True


def _refusal(status: int, body: bytes, retry_after: str) -> RefusalError:
    wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    try:
        reason, message = _told(json_text.loads(body)["error"])
    except (ValueError, LookupError, TypeError):
        reason, message = "", body.decode(errors="replace")
    kind = AbsentError if status == _ABSENT else RefusalError
    return kind(status, reason, message, wait)


def of_batch(text: str) -> RefusalError | None:
    """The refusal of one of many deletions, which gcsfs raises as an `OSError` with its text."""
    try:
        told = json_text.loads(text)
        told = told.get("error", told)
        reason, message = _told(told)
        return RefusalError(int(told["code"]), reason, message, None)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _told(error: Any) -> tuple[str, str]:
    """Reason and message. Format: https://cloud.google.com/storage/docs/json_api/v1/status-codes"""
    return str(error["errors"][0]["reason"]), str(error["message"])
