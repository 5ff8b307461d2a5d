"""Adding to a store: chunk, hash, group into blocks, compress, pack, index.

The caller's thread reads, cuts and hashes; one thread behind a short queue compresses and writes.
So two cores are busy, and memory stays at a few blocks however much is added.
"""

import os
from collections import deque
from collections.abc import Buffer, Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from blake3 import blake3

from pivot.files import write_atomic
from pivot.hashing import ObjectId, hash_bytes
from pivot.store.chunking import THRESHOLD, Readable, cut
from pivot.store.codec import DEFAULT_LEVEL, Codec, Compressor
from pivot.store.entry import Entry, FileName, Kind, PackInfo, Place
from pivot.store.index import FAN_IN, encode, index_key, rows_of
from pivot.store.pack import MAX_ENTRIES, PACK_SIZE, PackWriter
from pivot.store.recipe import Recipe, recipe_id

BLOCK_SIZE = 128 << 10
QUEUE_LENGTH = 8
# An index is written after so many entries too, so that a million small files need no more
# memory than a hundred thousand.
INDEX_ENTRIES = 100_000

type Put = Callable[[bytes, Kind], ObjectId]
type _Block = tuple[Codec | None, bytes, int, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a stream told: its id, its size in bytes, and its recipe if it was cut."""

    id: ObjectId
    size: int
    recipe: ObjectId | None


class Writer:
    """One session of adding entries. Nothing is visible until an index names it.

    Use as a context manager: leaving it writes what is open, syncs and indexes it; leaving it by
    an exception drops what no index names yet.
    """

    def __init__(
        self,
        root: str,
        *,
        known: Callable[[ObjectId], bool],
        indexed: Callable[[FileName], None],
        level: int = DEFAULT_LEVEL,
    ) -> None:
        self._root = root
        self._known = known
        self._indexed = indexed
        self._new: set[ObjectId] = set()
        self._open: list[tuple[Entry, bytes]] = []
        self._open_size = 0
        self._packer = _Packer(root, Compressor(level))
        self.added_entries = 0
        self.added_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._packer.abandon()
            return
        try:
            self._close_block()
            self._write_index(self._packer.finish())
        except BaseException:
            self._packer.abandon()
            raise

    def has(self, id_: ObjectId) -> bool:
        """Whether `id_` is in the store or was added in this session."""
        return id_ in self._new or self._known(id_)

    def add_bytes(self, data: bytes, kind: Kind = Kind.DATA) -> ObjectId:
        """Add one entry, unless it is there already."""
        id_ = identify(data, kind)
        if self.has(id_):
            return id_
        self._new.add(id_)
        self.added_entries += 1
        self.added_bytes += len(data)
        if self._open and (
            self._open_size + len(data) > BLOCK_SIZE or len(self._open) == MAX_ENTRIES
        ):
            self._close_block()
        self._open.append((Entry(id_, kind, len(data)), data))
        self._open_size += len(data)
        return id_

    def add_stream(self, stream: Readable) -> Added:
        """Add a file of any size: whole up to the threshold, else as chunks and a recipe."""
        return split(stream, self.add_bytes)

    def add_block(
        self, codec: Codec, stored: bytes, raw_size: int, entries: Iterable[Entry]
    ) -> None:
        """Add a block as another store has it; the caller has verified every entry."""
        fresh = tuple(entries)
        self._new.update(entry.id for entry in fresh)
        self.added_entries += len(fresh)
        self.added_bytes += raw_size
        self._put((codec, stored, raw_size, fresh))

    def _close_block(self) -> None:
        if not self._open:
            return
        data = b"".join(part for _, part in self._open)
        entries = tuple(entry for entry, _ in self._open)
        self._open, self._open_size = [], 0
        self._put((None, data, len(data), entries))

    def _put(self, block: _Block) -> None:
        self._packer.put(block)
        if self._packer.is_full:
            self._write_index(self._packer.take())

    def _write_index(self, packs: tuple[PackInfo, ...]) -> None:
        if not packs:
            return
        rows = dict(rows_of(packs))
        self._indexed(write_index(self._root, rows, {p.name: p.size for p in packs}))
        self._new.difference_update(rows)


def identify(data: bytes, kind: Kind) -> ObjectId:
    """The id of an entry's bytes; adds nothing."""
    return recipe_id(data) if kind is Kind.RECIPE else hash_bytes(data)


def split(stream: Readable, put: Put) -> Added:
    """Hand the entries of a file to `put`: itself, or its chunks and then its recipe.

    With `identify` as `put` this tells a file's id and recipe without storing anything.
    """
    head = _read_up_to(stream, THRESHOLD + 1)
    if len(head) <= THRESHOLD:
        return Added(put(head, Kind.DATA), len(head), None)
    hasher = blake3()
    chunks: list[tuple[ObjectId, int]] = []
    for chunk in cut(_Rejoined(head, stream)):
        hasher.update(chunk)
        chunks.append((put(chunk, Kind.DATA), len(chunk)))
    recipe = Recipe(ObjectId(hasher.digest()), sum(n for _, n in chunks), tuple(chunks))
    return Added(recipe.file, recipe.size, put(recipe.encode(), Kind.RECIPE))


def write_index(
    root: str,
    rows: Mapping[ObjectId, Place],
    pack_sizes: Mapping[FileName, int],
    *,
    level: int = 0,
    replaces: tuple[FileName, ...] = (),
) -> FileName:
    """Write and sync an index; its entries are visible from then on."""
    name = FileName.fresh()
    data = encode(name, rows, pack_sizes, level=level, replaces=replaces)
    write_atomic(os.path.join(root, index_key(name)), data, mode=0o444)
    return name


class _Packer:
    """Compresses blocks and writes packs, in a thread of its own and in order."""

    def __init__(self, root: str, compressor: Compressor) -> None:
        self._root = root
        self._compressor = compressor
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pivot-packer")
        self._pending: deque[Future[None]] = deque()
        self._pack: PackWriter | None = None
        self._pack_entries = 0
        self._finished: deque[PackInfo] = deque()  # appended there, taken here

    def put(self, block: _Block) -> None:
        """Hand over a block; waits while too many are pending, raises what went wrong before."""
        while len(self._pending) >= QUEUE_LENGTH:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._write, *block))

    @property
    def is_full(self) -> bool:
        """Whether enough was finished to be worth an index."""
        packs = tuple(self._finished)
        entries = sum(len(block.entries) for pack in packs for block in pack.blocks)
        return len(packs) >= FAN_IN or entries >= INDEX_ENTRIES

    def take(self) -> tuple[PackInfo, ...]:
        """The packs finished since the last call."""
        return tuple(self._finished.popleft() for _ in range(len(self._finished)))

    def finish(self) -> tuple[PackInfo, ...]:
        """Wait for all blocks, finish the open pack, and end the thread."""
        while self._pending:
            self._pending.popleft().result()
        self._thread.shutdown()
        if self._pack is not None:
            self._finish(self._pack)
        return self.take()

    def abandon(self) -> None:
        """End the thread and remove the open pack; finished packs are no one's yet."""
        self._thread.shutdown(cancel_futures=True)
        if self._pack is not None:
            self._pack.abandon()
            self._pack = None

    def _write(
        self, codec: Codec | None, data: bytes, raw_size: int, entries: tuple[Entry, ...]
    ) -> None:
        stored: Buffer = data
        if codec is None:
            codec, stored = self._compressor.compress(data)
        if self._pack is None:
            self._pack, self._pack_entries = PackWriter.open(self._root), 0
        self._pack.append(codec, stored, raw_size, entries)
        self._pack_entries += len(entries)
        if self._pack.size >= PACK_SIZE or self._pack_entries >= INDEX_ENTRIES:
            self._finish(self._pack)

    def _finish(self, pack: PackWriter) -> None:
        self._finished.append(pack.finish())
        self._pack = None


def _read_up_to(stream: Readable, size: int) -> bytes:
    """`size` bytes, or fewer at the stream's end."""
    first = stream.read(size)
    if len(first) in (0, size):
        return first
    parts, have = [first], len(first)
    while have < size and (part := stream.read(size - have)):
        parts.append(part)
        have += len(part)
    return b"".join(parts)


class _Rejoined:
    """A stream whose head was read already."""

    def __init__(self, head: bytes, tail: Readable) -> None:
        self._head = memoryview(head)
        self._tail = tail

    def read(self, n: int, /) -> bytes:
        if not self._head.nbytes:
            return self._tail.read(n)
        part, self._head = bytes(self._head[:n]), self._head[n:]
        return part
