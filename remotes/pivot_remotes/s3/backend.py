"""A bucket as storage.

obstore's synchronous calls only: its asynchronous ones can abort the interpreter at exit
(https://github.com/PyO3/pyo3-async-runtimes/issues/40), and its fsspec layer holds whole objects
in memory.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Final

from obstore.store import S3Store

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.keys import check_key, check_prefix, is_key
from pivot_remotes.landing import new_file, source_file
from pivot_remotes.s3.credentials import Access, access
from pivot_remotes.s3.faults import RangeIgnoredError, translated
from pivot_remotes.s3.settings import S3Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

PART: Final = 16 << 20
_PARTS_AT_ONCE: Final = 2
_MAX_PARTS: Final = 10_000  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_STREAM_BLOCK: Final = 1 << 20
_DELETED_AT_ONCE: Final = 1000

# The answer to a put comes after the last byte was sent, and obstore counts that as reading.
_UPLOAD_TIMEOUT: Final = 300.0
# obstore bounds a request with its body by 30 s, which a large object on a slow line takes longer
# than; silence is bounded by the read timeout instead.
_REQUEST_TIMEOUT: Final = timedelta(hours=1)

_CAPABILITIES: Final = Capabilities(
    can_list=True,
    can_write=True,
    atomic_put=True,
    create_only=False,
    ranges=True,
    page_size=1000,
    part_size=PART,
    delete_size=_DELETED_AT_ONCE,
)


class S3Backend:
    """Objects below a prefix of a bucket; credentials are refreshed as they expire.

    obstore repeats single requests (a part, a page, the rest of a body) up to twice within ten
    seconds by itself; more patience is `pivot_remotes.retrying`'s.
    """

    __slots__ = ("_reader", "_settings", "_writer")

    def __init__(self, settings: S3Settings, found: Access) -> None:
        self._settings = settings
        with translated(settings):
            self._reader = _store(settings, found, settings.read_timeout)
            self._writer = _store(settings, found, max(_UPLOAD_TIMEOUT, settings.read_timeout))

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def address(self) -> str:
        return self._settings.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        with translated(self._settings, folder):
            pages = self._reader.list(folder or None, chunk_size=1000)
            found = [
                ObjectInfo(meta["path"], meta["size"], meta["last_modified"].timestamp())
                for page in pages
                for meta in page
            ]
        return sorted((i for i in found if is_key(i.key)), key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_key(key)
        if length == 0:
            return b""
        try:
            with translated(self._settings, key):
                data = self._reader.get_range(key, start=start, length=length).to_bytes()
        except RangeIgnoredError:
            data = self._get_part_of_all(key, start, length)
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        with translated(self._settings, check_key(key)):
            return self._reader.get(key).bytes().to_bytes()

    def get_file(self, key: str, path: str) -> None:
        with translated(self._settings, check_key(key)):
            result = self._reader.get(key)
        with new_file(path) as write, translated(self._settings, key):
            for block in result.stream(min_chunk_size=_STREAM_BLOCK):
                write(block)

    def put(self, key: str, data: bytes) -> None:
        with translated(self._settings, check_key(key)):
            self._writer.put(key, data, chunk_size=PART, max_concurrency=_PARTS_AT_ONCE)

    def put_file(self, key: str, path: str) -> None:
        check_key(key)
        with source_file(path) as source:
            size = os.fstat(source.fileno()).st_size
            part = max(PART, -(-size // _MAX_PARTS))
            with translated(self._settings, key):
                self._writer.put(key, source, chunk_size=part, max_concurrency=_PARTS_AT_ONCE)

    def delete(self, key: str) -> None:
        check_key(key)
        with contextlib.suppress(NotFound), translated(self._settings, key):
            self._writer.delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = [check_key(key) for key in keys]
        for some in batched(doomed, _DELETED_AT_ONCE, strict=False):
            with contextlib.suppress(NotFound), translated(self._settings, some[0]):
                self._writer.delete(list(some))

    def _get_part_of_all(self, key: str, start: int, length: int) -> bytes:
        """The same as `get_range`, from a server that always sends everything."""
        part = bytearray()
        position = 0
        with translated(self._settings, key):
            for block in self._reader.get(key).stream(min_chunk_size=_STREAM_BLOCK):
                part += block[max(0, start - position) :]
                position += len(block)
                if len(part) >= length:
                    break
        return bytes(part[:length])


def open_bucket(url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> S3Backend:
    """The backend for `s3://bucket/prefix`.

    Options are those of `pivot_remotes.s3.settings`. Raises `BadAddress`, and `AccessDenied`
    where no credentials are found; the bucket itself isn't asked yet.
    """
    settings = S3Settings.read(url, options, environ)
    return S3Backend(settings, access(settings))


def _store(settings: S3Settings, found: Access, read_timeout: float) -> S3Store:
    endpoint = settings.endpoint
    config: S3Config = {
        "region": found.region,
        "virtual_hosted_style_request": not settings.path_style,
        "skip_signature": settings.anonymous,
        "request_payer": settings.requester_pays,
    }
    if endpoint is not None:
        base = endpoint if settings.path_style else _host_style(endpoint, settings.bucket)
        # Both, since AWS_ENDPOINT_URL_S3 in the environment beats `endpoint` in obstore.
        config["endpoint"] = config["aws_endpoint_url_s3"] = base
    if settings.encryption is not None:
        config["server_side_encryption"] = settings.encryption
    if settings.kms_key is not None:
        config["sse_kms_key_id"] = settings.kms_key
    client: ClientConfig = {
        "allow_http": endpoint is not None and endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=settings.connect_timeout),
        "read_timeout": timedelta(seconds=read_timeout),
        "timeout": _REQUEST_TIMEOUT,
        "user_agent": "pivot",
    }
    retry: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
    return S3Store(
        settings.bucket,
        prefix=settings.prefix or None,
        config=config,
        client_options=client,
        retry_config=retry,
        credential_provider=found.provider,
    )


def _host_style(endpoint: str, bucket: str) -> str:
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{bucket}.{rest}"
