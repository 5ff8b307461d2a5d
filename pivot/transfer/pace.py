"""How fast a storage is from here, measured in a few seconds."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from pivot_remotes.backend import Backend

SMALL: Final = 4 << 10
LARGE: Final = 16 << 20
_FIRST: Final = 256 << 10
_SECONDS: Final = 1.5
_MANY: Final = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests, or bytes, in so many seconds."""

    amount: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.amount / max(self.seconds, 1e-9)


def side_by_side(jobs: int, calls: Sequence[Callable[[], object]]) -> Rate:
    """Make calls, `jobs` at once, until they are all made or the time is over.

    Raises what the first one that failed raises.
    """
    begun = time.monotonic()
    made = 0
    with ThreadPoolExecutor(jobs, thread_name_prefix="pivot-pace") as threads:
        while made < len(calls) and (not made or time.monotonic() - begun < _SECONDS):
            list(threads.map(_call, calls[made : made + jobs]))
            made = min(made + jobs, len(calls))
    return Rate(made, time.monotonic() - begun)


def _call(call: Callable[[], object]) -> None:
    call()


def small_keys(prefix: str) -> list[str]:
    """The keys of the many small objects of a measurement."""
    return [f"{prefix}-small-{number}" for number in range(_MANY)]


def upload(backend: Backend, key: str, path: str) -> Rate:
    """Send a file that is written at `path`, as large as takes a few seconds, up to `LARGE`."""
    rate = _send(backend, key, path, _FIRST)
    size = min(LARGE, int(rate.per_second * 2 * _SECONDS))
    return _send(backend, key, path, size) if size > 2 * _FIRST else rate


def _send(backend: Backend, key: str, path: str, size: int) -> Rate:
    with open(path, "wb") as file:
        file.write(os.urandom(size))
    begun = time.monotonic()
    backend.put_file(key, path)
    return Rate(size, time.monotonic() - begun)


def download(backend: Backend, key: str, path: str) -> Rate:
    """Bring an object into the new file `path`."""
    begun = time.monotonic()
    backend.get_file(key, path)
    return Rate(os.stat(path).st_size, time.monotonic() - begun)
