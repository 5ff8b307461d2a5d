"""How far a transfer is, and what it moved."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

# Called with bytes done and bytes in all, uncompressed; from any thread, one call at a time.
type Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Transferred:
    """Entries that were moved, and their uncompressed bytes."""

    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Transferred") -> "Transferred":
        return Transferred(self.objects + other.objects, self.bytes + other.bytes)


class Meter:
    """Counts what was moved, from any thread, and tells it on; `moved` was before."""

    __slots__ = ("_lock", "_moved", "_progress", "_total")

    def __init__(
        self, progress: Progress | None, total: int, moved: Transferred = Transferred()
    ) -> None:
        self._lock = threading.Lock()
        self._moved = moved
        self._progress = progress
        self._total = total

    def add(self, objects: int, size: int) -> None:
        """Count entries and their uncompressed bytes."""
        with self._lock:
            self._moved += Transferred(objects, size)
            if self._progress is not None:
                self._progress(self._moved.bytes, self._total)

    @property
    def moved(self) -> Transferred:
        with self._lock:
            return self._moved
