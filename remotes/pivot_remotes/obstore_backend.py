"""A bucket or container as storage, through obstore.

obstore's synchronous calls only: its asynchronous ones can abort the interpreter at exit
(https://github.com/PyO3/pyo3-async-runtimes/issues/40), and its fsspec layer holds whole objects
in memory.
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import batched
from threading import Lock
from typing import TYPE_CHECKING, Final

from obstore.store import AzureStore, S3Store

from pivot_remotes.backend import Bytes, Capabilities, ObjectInfo
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.keys import check_key, check_prefix, is_key
from pivot_remotes.landing import new_file, source_file
from pivot_remotes.obstore_faults import Faults, RangeIgnoredError
from pivot_remotes.part import Part
from pivot_remotes.small import check_size

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

type Store = S3Store | AzureStore

PART: Final = 16 << 20
_MAX_PARTS: Final = (
    10_000  # of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
)
_PARTS_AT_ONCE: Final = 2
_STREAM_BLOCK: Final = 1 << 20

# The answer to a put comes after the last byte was sent, and obstore counts that as reading.
_UPLOAD_TIMEOUT: Final = 300.0
# obstore bounds a request with its body by 30 s, which a large object on a slow line takes longer
# than; silence is bounded by the read timeout instead.
_REQUEST_TIMEOUT: Final = timedelta(hours=1)
RETRY: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}


class ObstoreBackend:
    """Objects below the prefix of a store.

    obstore repeats single requests (a part, a page, the rest of a body) up to twice within ten
    seconds by itself; more patience is `pivot_remotes.retrying`'s.
    """

    __slots__ = ("_capabilities", "_faults", "_make_writer", "_making", "_reader", "_writing")

    def __init__(
        self,
        *,
        reader: Store,
        writer: Callable[[], Store],
        faults: Faults,
        capabilities: Capabilities,
    ) -> None:
        """`reader` gives up on silence sooner than a `writer` may (see `open_store`).

        A store takes milliseconds to make, so that for writing is made by the first who writes.
        """
        self._reader = reader
        self._make_writer = writer
        self._making = Lock()
        self._writing: Store | None = None
        self._faults = faults
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def address(self) -> str:
        return self._faults.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        with self._faults.translated(folder):
            pages = self._reader.list(folder or None, chunk_size=1000)
            found = [
                ObjectInfo(meta["path"], meta["size"], meta["last_modified"].timestamp())
                for page in pages
                for meta in page
            ]
        return sorted((i for i in found if is_key(i.key)), key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        check_key(key)
        if length == 0:
            return b""
        try:
            with self._faults.translated(key):
                data = memoryview(self._reader.get_range(key, start=start, length=length))
        except RangeIgnoredError:
            data = memoryview(self._get_part_of_all(key, start, length))
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        with self._faults.translated(check_key(key)):
            found = self._reader.get(key)
            check_size(found.meta["size"], key, self.address)
            return found.bytes().to_bytes()

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        with self._faults.translated(check_key(key)):
            result = self._reader.get(key)
        with new_file(path, limit) as write, self._faults.translated(key):
            for block in result.stream(min_chunk_size=_STREAM_BLOCK):
                write(block)

    def put(self, key: str, data: bytes) -> None:
        with self._faults.translated(check_key(key)):
            self._writer().put(key, data, chunk_size=PART, max_concurrency=_PARTS_AT_ONCE)

    def put_file(self, key: str, path: str) -> None:
        check_key(key)
        with source_file(path) as source:
            size = os.fstat(source.fileno()).st_size
            part = max(PART, -(-size // _MAX_PARTS))
            with self._faults.translated(key):
                self._writer().put(key, source, chunk_size=part, max_concurrency=_PARTS_AT_ONCE)

    def delete(self, key: str) -> None:
        check_key(key)
        with contextlib.suppress(NotFound), self._faults.translated(key):
            self._writer().delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = [check_key(key) for key in keys]
        for some in batched(doomed, self._capabilities.delete_size, strict=False):
            with contextlib.suppress(NotFound), self._faults.translated(some[0]):
                self._writer().delete(list(some))

    def _writer(self) -> Store:
        with self._making:
            if self._writing is None:
                self._writing = self._make_writer()
            return self._writing

    def _get_part_of_all(self, key: str, start: int, length: int) -> bytes:
        """The same as `get_range`, from a server that always sends everything."""
        with self._faults.translated(key):
            found = self._reader.get(key)
            return Part(start, length).take_all(found.stream(min_chunk_size=_STREAM_BLOCK))


def open_store(
    make: Callable[["ClientConfig"], Store],
    faults: Faults,
    capabilities: Capabilities,
    *,
    endpoint: str | None,
    connect_timeout: float,
    read_timeout: float,
) -> ObstoreBackend:
    """The backend over stores that `make` makes for how each speaks HTTP; times are in seconds.

    Without TLS only where `endpoint` says so. Raises what `faults` makes of a store's refusal.
    """
    http = endpoint is not None and endpoint.startswith("http://")

    def client(longest: float) -> "ClientConfig":
        return {
            "allow_http": http,
            "connect_timeout": timedelta(seconds=connect_timeout),
            "read_timeout": timedelta(seconds=longest),
            "timeout": _REQUEST_TIMEOUT,
            "user_agent": "pivot",
        }

    with faults.translated():
        return ObstoreBackend(
            reader=make(client(read_timeout)),
            writer=partial(make, client(max(_UPLOAD_TIMEOUT, read_timeout))),
            faults=faults,
            capabilities=capabilities,
        )
