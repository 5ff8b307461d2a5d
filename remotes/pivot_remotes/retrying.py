"""Trying again, when the storage or the way to it failed for a moment.

Waits grow exponentially and are drawn at random below their bound, so that clients which failed
together don't come back together.
Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("full jitter")
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from pivot_remotes.backend import Backend, Bytes, ObjectInfo
from pivot_remotes.errors import Busy, Unreachable
from pivot_remotes.wrapping import Wrapping


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on. Times are in seconds.

    Attributes:
        attempts: tries in all, the first included.
        first_wait: the bound of the first wait; it doubles with each attempt.
        longest_wait: the bound of any wait.
        unreachable: no attempt begins later than this after the first, if nobody answers. With
            the timeouts of an attempt it bounds how long a wrong endpoint takes to be reported.
        busy: the same if the storage answers that it is busy.
    """

    attempts: int = 5
    first_wait: float = 0.25
    longest_wait: float = 8.0
    unreachable: float = 15.0
    busy: float = 60.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests need neither. `chance` is uniform in [0, 1)."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.SystemRandom().random


_REAL: Final = Clock()
_LONGEST_TOLD: Final = 7 * 86_400.0


class Retrying(Wrapping):
    """A backend that repeats calls that failed by `Unreachable` or `Busy`, and no others.

    Every verb may be repeated: a put replaces the same bytes, a delete of what is gone is fine.
    """

    __slots__ = ("_clock", "_patience")

    def __init__(self, inner: Backend, patience: Patience, clock: Clock = _REAL) -> None:
        super().__init__(inner)
        self._patience = patience
        self._clock = clock

    def list(self, prefix: str) -> list[ObjectInfo]:
        return self._repeat(partial(self._inner.list, prefix))

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        return self._repeat(partial(self._inner.get_range, key, start, length))

    def get(self, key: str) -> bytes:
        return self._repeat(partial(self._inner.get, key))

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        self._repeat(partial(self._inner.get_file, key, path, limit))

    def put(self, key: str, data: bytes) -> None:
        self._repeat(partial(self._inner.put, key, data))

    def put_file(self, key: str, path: str) -> None:
        self._repeat(partial(self._inner.put_file, key, path))

    def delete(self, key: str) -> None:
        self._repeat(partial(self._inner.delete, key))

    def delete_all(self, keys: Iterable[str]) -> None:
        self._repeat(partial(self._inner.delete_all, tuple(keys)))

    def _repeat[T](self, call: Callable[[], T]) -> T:
        started = self._clock.now()
        attempt = 1
        while True:
            try:
                return call()
            except Unreachable as error:
                wait = self._wait(error, attempt)
                limit = (
                    self._patience.busy if isinstance(error, Busy) else self._patience.unreachable
                )
                if attempt >= self._patience.attempts or self._clock.now() + wait - started > limit:
                    _say_when(error)
                    raise
            self._clock.sleep(wait)
            attempt += 1

    def _wait(self, error: Unreachable, attempt: int) -> float:
        """Seconds before the next attempt; at least what the storage asked for."""
        bound = min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** (attempt - 1))
        return max(bound * self._clock.chance(), error.retry_after or 0.0)


def _say_when(error: Unreachable) -> None:
    """Tell what a storage asked for, where that is longer than a command should hang."""
    if error.retry_after is not None and error.retry_after > 0:
        seconds = math.ceil(min(error.retry_after, _LONGEST_TOLD))
        error.hint = f"It asks to be left alone for {seconds} s: wait as long, then run it again"
