"""From blocks to packs and the indexes that name them.

A pool of threads compresses blocks, and one thread writes them in the order in which they came. So
a pack's bytes depend on nothing but that order, and memory stays at `QUEUE_BYTES` of blocks, as
they are and as they are stored.
"""

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pivot.hashing import ObjectId
from pivot.store.codec import Codec, Compressor
from pivot.store.entry import Entry, FileName, PackInfo
from pivot.store.index import FAN_IN, INDEX_ENTRIES
from pivot.store.indexing import index_of, land_index
from pivot.store.pack import PACK_SIZE, PackWriter, remove_pack

# What waits to be compressed or written; one block is taken whatever its size.
QUEUE_BYTES = 8 << 20
# The thread that hands blocks over reads and hashes at about 1 GB/s: more can't be kept busy.
MAX_COMPRESSORS = 4


@dataclass(frozen=True, slots=True)
class Block:
    """Entries that are stored together: their bytes, or with a codec what another store has."""

    data: bytes | memoryview
    raw_size: int
    entries: tuple[Entry, ...]
    codec: Codec | None = None


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index that was written, and what it made visible."""

    name: FileName
    ids: tuple[ObjectId, ...]


class Packer:
    """Compresses blocks and writes packs and indexes, in threads of its own and in order.

    Indexes are written by the thread that wrote the packs: an interrupt, which only the main
    thread gets, can't come between an index and the note that its packs are named now.
    """

    def __init__(self, root: str, level: int) -> None:
        self._compressor = Compressor(level)
        self._pool = ThreadPoolExecutor(_compressors(), thread_name_prefix="pivot-compressor")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pivot-packer")
        self._pending: deque[tuple[int, Future[None]]] = deque()
        self._queued = 0
        self._output = _Output(root)

    def put(self, block: Block) -> None:
        """Hand over a block; waits while too much is pending, raises what went wrong before."""
        while self._pending and (
            self._queued + block.raw_size > QUEUE_BYTES or self._pending[0][1].done()
        ):
            size, written = self._pending.popleft()
            self._queued -= size
            written.result()
        packed = None
        if block.codec is None:
            packed = self._pool.submit(self._compressor.compress, bytes(block.data))
        self._pending.append(
            (block.raw_size, self._thread.submit(self._output.write, block, packed))
        )
        self._queued += block.raw_size

    def indexed(self) -> Iterator[Indexed]:
        """The indexes that were written since this was last asked."""
        while self._output.indexed:
            yield self._output.indexed.popleft()

    def finish(self) -> None:
        """Write, sync and index everything, and end the threads."""
        self._thread.submit(self._output.finish).result()
        self._pool.shutdown()
        self._thread.shutdown()

    def abandon(self) -> None:
        """End the threads, and remove the packs that no index names."""
        self._pool.shutdown(cancel_futures=True)
        self._thread.shutdown(cancel_futures=True)
        self._output.abandon()


def _compressors() -> int:
    return min(os.process_cpu_count() or 1, MAX_COMPRESSORS)


class _Output:
    """The packs of one session. All but `indexed` belongs to one thread, which comes first."""

    def __init__(self, root: str) -> None:
        self.indexed: deque[Indexed] = deque()  # appended here, taken there
        self._root = root
        self._pack: PackWriter | None = None
        self._pack_entries = 0
        self._finished: list[PackInfo] = []  # no index names them yet
        self._finished_entries = 0
        self._fault: BaseException | None = None

    def write(self, block: Block, packed: Future[tuple[Codec, bytes]] | None) -> None:
        """Append a block, given what compressing it is to bring; end what is full."""
        with self._faultless():
            codec, stored = (block.codec, block.data) if packed is None else packed.result()
            assert codec is not None, "a block is compressed here or was elsewhere"  # noqa: S101
            if self._pack is None:
                self._pack, self._pack_entries = PackWriter.open(self._root), 0
            self._pack.append(codec, stored, block.raw_size, block.entries)
            self._pack_entries += len(block.entries)
            if self._pack.size >= PACK_SIZE or self._pack_entries >= INDEX_ENTRIES:
                self._end_pack(self._pack)
            if len(self._finished) >= FAN_IN or self._finished_entries >= INDEX_ENTRIES:
                self._index()

    def finish(self) -> None:
        """End the open pack, and index what isn't."""
        with self._faultless():
            if self._pack is not None:
                self._end_pack(self._pack)
            if self._finished:
                self._index()

    def abandon(self) -> None:
        """Remove the packs that no index names."""
        if self._pack is not None:
            self._pack.abandon()
            self._pack = None
        for pack in self._finished:
            with contextlib.suppress(OSError):  # what failed first is what is told
                remove_pack(self._root, pack.name)

    @contextlib.contextmanager
    def _faultless(self) -> Iterator[None]:
        """After a failure a block may be there in part: nothing goes on with that pack."""
        if self._fault is not None:
            raise self._fault
        try:
            yield
        except BaseException as error:
            self._fault = error
            raise

    def _end_pack(self, pack: PackWriter) -> None:
        self._finished.append(pack.finish())
        self._finished_entries += self._pack_entries
        self._pack = None

    def _index(self) -> None:
        name, data = index_of(self._finished)
        land_index(self._root, name, data)
        ids = tuple(e.id for pack in self._finished for block in pack.blocks for e in block.entries)
        self._finished, self._finished_entries = [], 0
        self.indexed.append(Indexed(name, ids))
