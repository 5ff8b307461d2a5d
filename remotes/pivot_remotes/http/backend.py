"""A folder on a web server as storage that is only read."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NoReturn

from urllib3 import BaseHTTPResponse

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import RemoteError, Truncated, Unsupported
from pivot_remotes.http import faults
from pivot_remotes.http.client import BLOCK, HttpClient
from pivot_remotes.keys import check_key, check_prefix
from pivot_remotes.landing import new_file
from pivot_remotes.part import Part
from pivot_remotes.small import Small

_CAPABILITIES: Final = Capabilities(can_list=False, can_write=False, atomic_put=False, ranges=True)
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/")


class HttpBackend:
    """Objects below a URL. What the server does for a browser it does for us: no more is asked."""

    __slots__ = ("_client",)

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def address(self) -> str:
        return self._client.settings.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        check_prefix(prefix)
        raise Unsupported(f"{self.address} can't be listed")

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_key(key)
        if length == 0:
            return b""
        wanted = {"Range": f"bytes={start}-{start + length - 1}"}
        with self._client.request("GET", self._client.url(key), wanted) as response:
            if response.status == 206:
                self._check_begins(response, key, start)
                skip = 0
            elif response.status == 200:  # the server ignores ranges
                skip = start
            else:
                raise faults.refused(response, self._client.settings, key)
            data = Part(skip, length).take_all(response.stream(BLOCK))
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        return Small(key, self.address).take_all(self._blocks(check_key(key)))

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        check_key(key)
        with new_file(path, limit) as write:
            for block in self._blocks(key):
                write(block)

    def put(self, key: str, data: bytes) -> None:  # noqa: ARG002 - the interface's
        check_key(key)
        self._refuse()

    def put_file(self, key: str, path: str) -> None:  # noqa: ARG002 - the interface's
        check_key(key)
        self._refuse()

    def delete(self, key: str) -> None:
        check_key(key)
        self._refuse()

    def delete_all(self, keys: Iterable[str]) -> None:
        for key in keys:
            check_key(key)
        self._refuse()

    def _blocks(self, key: str) -> Iterator[bytes]:
        """An object, a mebibyte at a time."""
        with self._client.request("GET", self._client.url(key)) as response:
            if response.status != 200:
                raise faults.refused(response, self._client.settings, key)
            yield from response.stream(BLOCK)

    def _check_begins(self, response: BaseHTTPResponse, key: str, start: int) -> None:
        match = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if match is None or int(match[1]) != start:
            raise RemoteError(
                f"{self.address} failed at {key}", why="it answered another range than was asked"
            )

    def _refuse(self) -> NoReturn:
        raise Unsupported(
            f"{self.address} can only be read",
            hint="Push to where the server has its files from, with that remote's option `publish`",
        )


def open_folder(url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> HttpBackend:
    """The backend for `https://host/folder`; nothing is asked of it yet.

    Options are those of `pivot_remotes.http.settings`. Raises `BadAddress`.
    """
    return HttpBackend(HttpClient.of(url, options, environ))
