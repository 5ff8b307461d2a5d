"""Counting requests and bytes, for reports and for tests that promise few of them."""

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pivot_remotes.backend import Backend, Bytes, ObjectInfo
from pivot_remotes.wrapping import Wrapping


class Verb(StrEnum):
    """What a request does."""

    LIST = "list"
    GET = "get"
    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Count:
    """Requests of one verb, failed ones included, and the bytes of content they moved."""

    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What was asked of a storage so far. Requests that its library repeats are not seen."""

    verbs: Mapping[Verb, Count]

    @property
    def requests(self) -> int:
        return sum(count.requests for count in self.verbs.values())

    @property
    def received(self) -> int:
        return self.verbs[Verb.GET].bytes

    @property
    def sent(self) -> int:
        return self.verbs[Verb.PUT].bytes


class Trace:
    """The running counts of one or more backends, from any thread."""

    __slots__ = ("_counts", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Verb, Count())

    def add(self, verb: Verb, *, requests: int = 0, size: int = 0) -> None:
        """Count requests that were sent, or bytes that were moved by them."""
        with self._lock:
            old = self._counts[verb]
            self._counts[verb] = Count(old.requests + requests, old.bytes + size)

    def counts(self) -> Counts:
        """The counts now; a value that doesn't change."""
        with self._lock:
            return Counts(MappingProxyType(dict(self._counts)))


class Tracing(Wrapping):
    """A backend that counts what goes through it into `trace`."""

    __slots__ = ("_trace",)

    def __init__(self, inner: Backend, trace: Trace) -> None:
        super().__init__(inner)
        self._trace = trace

    def list(self, prefix: str) -> list[ObjectInfo]:
        self._trace.add(Verb.LIST, requests=1)
        found = self._inner.list(prefix)
        if page := self.capabilities.page_size:
            self._trace.add(Verb.LIST, requests=max(0, (len(found) - 1) // page))
        return found

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        self._trace.add(Verb.GET, requests=1)
        data = self._inner.get_range(key, start, length)
        self._trace.add(Verb.GET, size=len(data))
        return data

    def get(self, key: str) -> bytes:
        self._trace.add(Verb.GET, requests=1)
        data = self._inner.get(key)
        self._trace.add(Verb.GET, size=len(data))
        return data

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        self._trace.add(Verb.GET, requests=1)
        self._inner.get_file(key, path, limit)
        self._trace.add(Verb.GET, size=_size(path))

    def put(self, key: str, data: bytes) -> None:
        self._trace.add(Verb.PUT, requests=self._put_requests(len(data)))
        self._inner.put(key, data)
        self._trace.add(Verb.PUT, size=len(data))

    def put_file(self, key: str, path: str) -> None:
        size = _size(path)
        self._trace.add(Verb.PUT, requests=self._put_requests(size))
        self._inner.put_file(key, path)
        self._trace.add(Verb.PUT, size=size)

    def delete(self, key: str) -> None:
        self._trace.add(Verb.DELETE, requests=1)
        self._inner.delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = tuple(keys)
        requests = -(-len(doomed) // self.capabilities.delete_size)
        self._trace.add(Verb.DELETE, requests=requests)
        self._inner.delete_all(doomed)

    def _put_requests(self, size: int) -> int:
        """One, or for an object sent in parts: one a part, and those to begin and complete it."""
        part = self.capabilities.part_size
        if part is None or size <= part:
            return 1
        return self.capabilities.around_parts + -(-size // part)


def _size(path: str) -> int:
    """The size of a local file; 0 where it can't be told, since counting must not fail."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
