"""Asking no more of a storage, and of the line to it, than the user wants."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from pivot_remotes.backend import Backend, Bytes, ObjectInfo
from pivot_remotes.retrying import Clock
from pivot_remotes.wrapping import Wrapping

_REAL: Final = Clock()


@dataclass(frozen=True, slots=True)
class Limits:
    """What is wanted at most; None for no limit.

    Attributes:
        connections: calls at once.
        rate: bytes a second, those that come and those that go together.
    """

    connections: int | None = None
    rate: int | None = None

    def __bool__(self) -> bool:
        return self.connections is not None or self.rate is not None


class Limiting(Wrapping):
    """A backend that makes calls wait until the limits let them through.

    A call goes at full speed; who comes next waits for as long as its bytes should have taken. So
    the rate holds on average, over a few times the size of the largest object.
    """

    __slots__ = ("_calls", "_meter")

    def __init__(self, inner: Backend, limits: Limits, clock: Clock = _REAL) -> None:
        super().__init__(inner)
        # As many as anyone could want where nothing bounds them.
        self._calls = threading.BoundedSemaphore(limits.connections or 1 << 30)
        self._meter = _Meter(limits.rate, clock)

    def list(self, prefix: str) -> list[ObjectInfo]:
        with self._calls:
            return self._inner.list(prefix)

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        return self._receive(partial(self._inner.get_range, key, start, length), len)

    def get(self, key: str) -> bytes:
        return self._receive(partial(self._inner.get, key), len)

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        self._receive(
            partial(self._inner.get_file, key, path, limit), lambda _: os.stat(path).st_size
        )

    def put(self, key: str, data: bytes) -> None:
        with self._sending(len(data)):
            self._inner.put(key, data)

    def put_file(self, key: str, path: str) -> None:
        try:
            size = os.stat(path).st_size
        except OSError:
            size = 0  # the backend will say what is wrong with the file
        with self._sending(size):
            self._inner.put_file(key, path)

    def delete(self, key: str) -> None:
        with self._calls:
            self._inner.delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        with self._calls:
            self._inner.delete_all(keys)

    @contextmanager
    def _sending(self, size: int) -> Iterator[None]:
        self._meter.wait()
        self._meter.add(size)
        with self._calls:
            yield

    def _receive[T](self, call: Callable[[], T], size: Callable[[T], int]) -> T:
        """Make a call of which it shows afterwards how many bytes came."""
        self._meter.wait()
        with self._calls:
            result = call()
        self._meter.add(size(result))
        return result


class _Meter:
    """When the line is free again, if it carried what went through it at the rate that is wanted.

    Times are in seconds of the clock.
    """

    __slots__ = ("_clock", "_free", "_lock", "_rate")

    def __init__(self, rate: int | None, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until the line is free."""
        while self._rate is not None:
            with self._lock:
                rest = self._free - self._clock.now()
            if rest <= 0:
                return
            self._clock.sleep(rest)  # meanwhile others may have used it

    def add(self, size: int) -> None:
        """Take the line for as long as `size` bytes should take."""
        if self._rate is not None:
            with self._lock:
                self._free = max(self._free, self._clock.now()) + size / self._rate
