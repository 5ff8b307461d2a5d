"""Saying how far the storing of files is."""

import time
from collections.abc import Callable

from pivot.hashing import ObjectId
from pivot.store.entry import Kind
from pivot.workspace import Sink

# How long work takes before it is worth a walk to ask how much it will be, in seconds.
LONG_S = 2.0
# Every so many bytes it is told how far work is.
STEP = 1 << 20

type Progress = Callable[[int, int | None], None]


class Metered:
    """A sink that says how far it is; how much there is, is asked only if it takes long."""

    def __init__(self, sink: Sink, total: Callable[[], int], progress: Progress) -> None:
        self._sink = sink
        self._measure = total
        self._progress = progress
        self._begun = time.monotonic()
        self._done = self._next = 0
        self._total: int | None = None

    def has(self, id_: ObjectId) -> bool:
        return self._sink.has(id_)

    def add_bytes(self, data: bytes, kind: Kind = Kind.DATA) -> ObjectId:
        if kind is Kind.DATA:
            self._done += len(data)
            if self._done >= self._next:
                self._next = self._done + STEP
                self._tell()
        return self._sink.add_bytes(data, kind)

    def _tell(self) -> None:
        if self._total is None and time.monotonic() - self._begun > LONG_S:
            self._total = self._measure()
        self._progress(self._done, None if self._total is None else max(self._done, self._total))
