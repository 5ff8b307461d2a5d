"""Where fetched entries land: the store, in sessions short enough that a kill loses little."""

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from pivot.errors import PivotError
from pivot.hashing import ObjectId
from pivot.store.entry import Kind
from pivot.store.store import Store
from pivot.store.writer import Writer
from pivot.transfer.blocks import NeededBlock, opened
from pivot.transfer.progress import Meter

# What was added is indexed, and so survives a kill, after so many bytes, or seconds if by then
# there are some.
SESSION_BYTES: Final = 128 << 20
SESSION_S: Final = 10.0
_WORTH_A_PACK: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Landed:
    """A block that was verified, and the parts of it that are kept unless it is kept whole."""

    block: NeededBlock
    stored: bytes | memoryview
    parts: tuple[tuple[bytes | memoryview, Kind], ...]

    @classmethod
    def verified(cls, block: NeededBlock, stored: bytes | memoryview) -> Self:
        """Raises `IntegrityError` unless each needed entry is what its id says."""
        found = opened(block, stored)
        parts = () if block.is_whole else tuple((data, entry.kind) for entry, data in found)
        return cls(block, stored, parts)


class Sink:
    """Adds verified entries to a store, from any thread.

    Use as a context manager. Leaving it keeps what was added, also when a failure or an interrupt
    ends it; where the disk failed, what was indexed before.
    """

    def __init__(self, store: Store, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._writer: Writer | None = None
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, PivotError | KeyboardInterrupt):
            self._stack.close()
        else:
            self._stack.__exit__(kind, error, trace)
        self._writer = None

    def add(self, found: Sequence[Landed]) -> None:
        """Add blocks, one after the other."""
        with self._lock:
            for landed in found:
                writer = self._session()
                block, place = landed.block, landed.block.place
                if block.is_whole:
                    writer.add_block(place.codec, landed.stored, place.raw, block.entries)
                for data, kind in landed.parts:
                    writer.add_bytes(bytes(data), kind)
        if found:
            entries = sum(len(landed.block.parts) for landed in found)
            self._meter.add(entries, sum(landed.block.size for landed in found))

    def add_entry(self, id_: ObjectId, data: bytes, kind: Kind) -> None:
        """Add an entry that was verified; whatever it names was added before."""
        with self._lock:
            writer = self._session()
            if not writer.has(id_):
                writer.add_bytes(data, kind)
        self._meter.add(1, len(data))

    def _session(self) -> Writer:
        if self._writer is not None and self._is_long(self._writer.added_bytes):
            self._stack.close()
            self._writer = None
        if self._writer is None:
            self._writer = self._stack.enter_context(self._store.writer())
            self._begun = time.monotonic()
        return self._writer

    def _is_long(self, added: int) -> bool:
        return added >= SESSION_BYTES or (
            added >= _WORTH_A_PACK and time.monotonic() - self._begun >= SESSION_S
        )
