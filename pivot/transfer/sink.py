"""Where fetched entries land: the store, in sessions short enough that a kill loses little."""

import contextlib
import threading
import time
from collections.abc import Container
from types import TracebackType
from typing import Final, Self

from pivot.errors import PivotError
from pivot.hashing import ObjectId
from pivot.store.adoption import index_leaves
from pivot.store.entry import Kind, PackInfo
from pivot.store.pack import remove_pack
from pivot.store.store import Store
from pivot.store.writer import Writer
from pivot.transfer.blocks import NeededBlock, opened
from pivot.transfer.progress import Meter

# What was added is indexed, and so survives a kill, after so many bytes, or seconds if by then
# there are some.
SESSION_BYTES: Final = 128 << 20
SESSION_S: Final = 10.0
_WORTH_A_PACK: Final = 8 << 20


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

    @property
    def root(self) -> str:
        """The folder of the store, for what is to become a part of it."""
        return self._store.root

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

    def add(self, block: NeededBlock, stored: bytes) -> None:
        """Verify a block's entries and add them; raises `IntegrityError` before adding any."""
        found = opened(block, stored)
        with self._lock:
            writer = self._session()
            if block.is_whole:
                place = block.place
                writer.add_block(place.codec, stored, place.raw, block.entries)
            else:
                for entry, data in found:
                    writer.add_bytes(data, entry.kind)
        self._meter.add(len(found), block.size)

    def add_entry(self, id_: ObjectId, data: bytes, kind: Kind) -> None:
        """Add an entry that was verified; whatever it names was added before."""
        with self._lock:
            writer = self._session()
            if not writer.has(id_):
                writer.add_bytes(data, kind)
        self._meter.add(1, len(data))

    def adopt(self, pack: PackInfo) -> None:
        """Show the leaves of a pack that is the store's now."""
        try:
            index_leaves(self.root, pack)
        except BaseException:
            remove_pack(self.root, pack.name)
            raise

    def count(self, block: NeededBlock, wanted: Container[ObjectId], *, times: int = 1) -> None:
        """Count what is wanted of a block that is to be adopted with its pack."""
        sizes = [entry.size for _, entry in block.parts if entry.id in wanted]
        self._meter.add(times * len(sizes), times * sum(sizes))

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
