"""A folder on a WebDAV server as storage.

Spoken to directly, not through fsspec's file system for it: that one asks whether a file exists
before each put, and moves without saying that an existing file is to be replaced.
"""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import FileIO
from typing import Final
from urllib.parse import urlsplit

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import BadAddress, Busy, NotFound, RemoteError, Unsupported
from pivot_remotes.http import faults
from pivot_remotes.http.backend import HttpBackend
from pivot_remotes.http.client import BLOCK, HttpClient
from pivot_remotes.keys import check_key, check_prefix, is_key, temporary_key
from pivot_remotes.landing import blocks, source_file
from pivot_remotes.small import Small
from pivot_remotes.webdav.listing import QUESTION, BrokenOffError, Member, members

_CAPABILITIES: Final = Capabilities(
    can_list=True,
    can_write=True,
    atomic_put=True,
    ranges=True,
    atomic_replace=False,  # most servers remove what is there, and then move
)
_DONE: Final = frozenset({200, 201, 204})
# 405 says that it exists, and so may 403; if not, the put that follows says what is wrong.
_MADE: Final = _DONE | {403, 405}


class WebdavBackend:
    """Objects below a URL.

    An object is sent under a temporary name and moved: while an upload goes on, servers show what
    they have of it. Listings are asked for folder by folder, since few servers list at any depth.
    """

    __slots__ = ("_client", "_lock", "_made", "_reader")

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._reader = HttpBackend(client)
        self._made: set[str] = set()
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def address(self) -> str:
        return self._client.settings.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        found: dict[str, ObjectInfo] = {}  # servers may list twice what is being moved
        folders = [check_prefix(prefix)]
        while folders:
            folder = folders.pop()
            for member in self._members(folder):
                key = f"{folder}/{member.name}" if folder else member.name
                if is_key(key) and member.is_folder:
                    folders.append(key)
                elif is_key(key):
                    found[key] = ObjectInfo(key, member.size, member.modified)
        return sorted(found.values(), key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with _folders_are_absent(key, self.address):
            return self._reader.get_range(key, start, length)

    def get(self, key: str) -> bytes:
        with _folders_are_absent(key, self.address):
            return self._reader.get(key)

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        with _folders_are_absent(key, self.address):
            self._reader.get_file(key, path, limit)

    def put(self, key: str, data: bytes) -> None:
        self._replace(check_key(key), data, len(data))

    def put_file(self, key: str, path: str) -> None:
        check_key(key)
        with source_file(path) as source:
            size = os.fstat(source.fileno()).st_size
            self._replace(key, _exactly(source, size), size)

    def delete(self, key: str) -> None:
        check_key(key)
        self._ask("DELETE", self._client.url(key), key=key, fine=_DONE | {404, 410})

    def delete_all(self, keys: Iterable[str]) -> None:
        for key in [check_key(key) for key in keys]:
            self.delete(key)

    def _members(self, folder: str) -> Sequence[Member]:
        url = self._client.url(f"{folder}/" if folder else "")
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        with self._client.request("PROPFIND", url, headers, QUESTION) as response:
            if response.status in (404, 410):
                return []
            if response.status != 207:
                raise faults.refused(response, self._client.settings, folder)
            answer = Small(folder, self.address).take_all(response.stream(BLOCK))
        try:
            return members(answer, url)
        except BrokenOffError as error:
            raise Busy(f"{self.address} can't serve now", why="a listing broke off") from error
        except ValueError as error:
            raise RemoteError(
                f"{self.address} doesn't answer as a WebDAV server should", why=str(error)
            ) from error

    def _replace(self, key: str, body: bytes | Iterator[bytes], size: int) -> None:
        temporary, final = self._client.url(temporary_key(key)), self._client.url(key)
        self._make_folder(key.rpartition("/")[0])
        # One request with its length: not every server takes a body in chunks.
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        try:
            self._ask("PUT", temporary, headers, body, key=key)
            target = {"Destination": final, "Overwrite": "T"}
            self._ask("MOVE", temporary, target, key=key)
        except RemoteError:
            with contextlib.suppress(RemoteError):
                self._ask("DELETE", temporary)
            raise

    def _make_folder(self, folder: str) -> None:
        """Make a folder and its missing parents, unless that was done before."""
        with self._lock:  # one thread, since some servers fail when two make the same one
            if folder not in self._made:
                self._make(self._client.url(folder).rstrip("/"))
                self._made.add(folder)

    def _make(self, url: str) -> None:
        if self._ask("MKCOL", f"{url}/", fine=_MADE | {409}) == 409:
            parent = url.rpartition("/")[0]
            if urlsplit(parent).path.strip("/"):
                self._make(parent)
            self._ask("MKCOL", f"{url}/", fine=_MADE)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
        *,
        key: str = "",
        fine: Iterable[int] = _DONE,
    ) -> int:
        """The status of a request that has no content to give; raises unless it is in `fine`."""
        with self._client.request(method, url, headers, body) as response:
            if response.status in fine:
                return response.status
            if response.status == 409:
                raise BadAddress(
                    f"{self.address} can't hold {key or 'objects'}",
                    why="a folder is missing above it, or a file stands where one should",
                )
            raise faults.refused(response, self._client.settings, key)


def open_folder(url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> WebdavBackend:
    """The backend for `webdavs://host/folder`; nothing is asked of it yet.

    Options are those of `pivot_remotes.http.settings`. Raises `BadAddress`.
    """
    return WebdavBackend(HttpClient.of(url, options, environ))


@contextlib.contextmanager
def _folders_are_absent(key: str, address: str) -> Iterator[None]:
    """A folder can't be got, which servers say by another status than of what is absent."""
    try:
        yield
    except Unsupported as error:
        raise NotFound(f"{key} isn't in {address}") from error


def _exactly(source: FileIO, size: int) -> Iterator[bytes]:
    """The content of a file, which must be as long as was announced."""
    left = size
    for block in blocks(source):
        left -= len(block)
        if left < 0:
            break
        yield block
    if left:
        raise RemoteError(f"{source.name} changed while it was sent")
