"""A bucket of Google Cloud Storage as storage.

A put replaces an object in one step there, so nothing is written aside and moved. gcsfs runs all
requests in one thread of its own; calls from any number of threads wait for it.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import ClientTimeout

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.gs.credentials import find
from pivot_remotes.gs.faults import translated
from pivot_remotes.gs.requests import Requests
from pivot_remotes.gs.settings import GsSettings
from pivot_remotes.keys import check_key, check_prefix, is_key
from pivot_remotes.landing import blocks, new_file, source_file
from pivot_remotes.small import Small

PART: Final = 16 << 20
_NEVER: Final = PART + 1  # the size from which gcsfs would send parts by itself
_PAGE: Final = 1000
_GOOGLE: Final = "https://storage.googleapis.com"
# Google takes them in one request, emulators don't.
# https://cloud.google.com/storage/docs/batch
_DELETED_AT_ONCE: Final = 100


class GsBackend:
    """Objects below a prefix of a bucket."""

    __slots__ = ("_fs", "_prefix", "_root", "_settings")

    def __init__(self, settings: GsSettings, fs: Requests) -> None:
        self._settings = settings
        self._fs = fs
        self._prefix = f"{settings.prefix}/" if settings.prefix else ""
        self._root = f"{settings.bucket}/{self._prefix}"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            can_list=True,
            can_write=True,
            atomic_put=True,
            ranges=True,
            page_size=_PAGE,
            part_size=PART,
            around_parts=1,  # to begin; the last part completes it
            delete_size=_DELETED_AT_ONCE if self._fs.on_google else 1,
        )

    @property
    def address(self) -> str:
        return self._settings.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        with translated(self._settings, folder, reads=False):
            found = [_info(item, self._prefix) for item in self._items(folder)]
        return sorted((i for i in found if is_key(i.key)), key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_key(key)
        if length == 0:
            return b""
        with translated(self._settings, key):
            data = self._fs.get_part(self._root + key, start, length)
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        with translated(self._settings, check_key(key)):
            return self._fs.get_small(self._root + key, lambda: Small(key, self.address))

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        check_key(key)
        with new_file(path, limit) as write, translated(self._settings, key):
            self._fs.receive(self._root + key, write)

    def put(self, key: str, data: bytes) -> None:
        with translated(self._settings, check_key(key), reads=False):
            if len(data) <= PART:
                self._fs.pipe_file(self._root + key, data, chunksize=_NEVER)
            else:
                parts = (data[at : at + PART] for at in range(0, len(data), PART))
                self._fs.send(self._root + key, parts, len(data))

    def put_file(self, key: str, path: str) -> None:
        check_key(key)
        with source_file(path) as source:
            size = os.fstat(source.fileno()).st_size
            if size <= PART:
                self.put(key, b"".join(blocks(source)))
                return
            with translated(self._settings, key, reads=False):
                self._fs.send(self._root + key, blocks(source, PART), size)

    def delete(self, key: str) -> None:
        check_key(key)
        with contextlib.suppress(NotFound), translated(self._settings, key):
            self._fs.rm_file(self._root + key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = [self._root + check_key(key) for key in keys]
        for some in batched(doomed, _DELETED_AT_ONCE, strict=False):
            with contextlib.suppress(NotFound), translated(self._settings):
                self._fs.rm(list(some))

    def _items(self, folder: str) -> Iterator[Mapping[str, Any]]:
        """What the pages of a listing say of each object below a folder."""
        prefix = self._prefix + (f"{folder}/" if folder else "")
        token: str | None = ""
        while token is not None:
            page = self._fs.call(
                "GET",
                "b/{}/o",
                self._settings.bucket,
                json_out=True,
                prefix=prefix or None,
                maxResults=_PAGE,
                pageToken=token or None,
                fields="items(name,size,updated),nextPageToken",
            )
            yield from page.get("items", ())
            token = page.get("nextPageToken")


def open_bucket(url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> GsBackend:
    """The backend for `gs://bucket/prefix`.

    Options are those of `pivot_remotes.gs.settings`. Raises `BadAddress`, and `AccessDenied`
    where no credentials are found; the bucket itself isn't asked yet.
    """
    settings = GsSettings.read(url, options, environ)
    credentials = find(settings)
    timeout = ClientTimeout(
        total=None, sock_connect=settings.connect_timeout, sock_read=settings.read_timeout
    )
    fs = Requests(
        token="anon" if credentials is None else credentials,
        access="read_write",
        endpoint_url=settings.endpoint,
        requester_pays=settings.billing_project or False,
        requests_timeout=timeout,
        session_kwargs=_proxy(settings.endpoint or _GOOGLE),
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    return GsBackend(settings, fs)


def _proxy(service: str) -> dict[str, str]:
    """The proxy that the environment names, as aiohttp takes it.

    Told to look there itself, aiohttp would send what `~/.netrc` has for any host, too.
    """
    parts = urlsplit(service)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if not proxy:
        return {}
    return {"proxy": proxy if "://" in proxy else f"http://{proxy}"}


def _info(item: Mapping[str, Any], prefix: str) -> ObjectInfo:
    updated = item.get("updated")
    modified = datetime.fromisoformat(updated).timestamp() if updated else None
    return ObjectInfo(item["name"][len(prefix) :], int(item["size"]), modified)
