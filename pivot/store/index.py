"""Indexes: sorted ids with their places. What a store has is what its listed indexes say.

Layout (little-endian), format 1; `docs/format.md` has an example byte by byte:

    header    magic "PIVOTIDX", u16 version, u16 level, u32 zero, 16 bytes name,
              u32 replaces, u32 packs, u32 blocks, u32 entries
    replaces  x 16 bytes: names of the indexes that this one holds whole
    packs     x (16 bytes name, u64 size in bytes)
    blocks    x (u32 pack, u64 offset, u32 stored, u32 raw, u8 codec, 3 zero), 24 bytes
    fan-out   256 x u32: how many ids begin with a byte up to this one
    ids       x 32 bytes, ascending
    places    x (u32 block, u32 offset, u32 size, u8 kind, 3 zero), 16 bytes, in the ids' order
    footer    32 bytes BLAKE3 of all before it, "PIVOTEND"

Sixteen indexes of a level are merged into one of the next, so a store of a billion entries has
a few dozen. The reader asks for slices only: a later version can fetch ranges of a remote one.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Self

from blake3 import blake3

from pivot.errors import IntegrityError, PivotError
from pivot.files import open_regular
from pivot.hashing import ID_SIZE, ObjectId
from pivot.store.codec import MAX_RAW_SIZE, Codec
from pivot.store.entry import NAME_SIZE, BlockPlace, FileName, Kind, Place

VERSION = 1
FAN_IN = 16
# After so many entries an index is written, so that adding a million small files needs no more
# memory than adding a hundred thousand.
INDEX_ENTRIES = 100_000
MAGIC = b"PIVOTIDX"
END_MAGIC = b"PIVOTEND"
HEADER = struct.Struct("<8sHHI16sIIII")
PACK = struct.Struct("<16sQ")
BLOCK = struct.Struct("<IQIIB3x")
FANOUT = struct.Struct("<256I")
PLACE = struct.Struct("<IIIB3x")
_KIND_AT = 12
_ID = struct.Struct(f"{ID_SIZE}s")
_PACK_NUMBER = struct.Struct("<I")  # the first member of a block
_BLOCK_NUMBER = struct.Struct("<I")  # the first member of a place
_FOOTER_SIZE = 32 + len(END_MAGIC)
_HELD = 32 << 20  # about 600,000 entries
_SCANNED = 64  # so many ids are searched in one call, which costs less than halving them
_SCAN_SHARE = 16  # looking one id up takes as long as passing over so many
_SEEN_BLOCKS = 4096  # under a megabyte
_CODECS = frozenset(Codec)
_KINDS = tuple(Kind)  # by number: calling the enumeration costs more than the look-up


def index_key(name: FileName) -> str:
    """An index's place in a store, here and behind a remote."""
    return f"index/{name.hex()}.idx"


class Index:
    """An index that was opened and checked; look-ups touch a few pages."""

    def __init__(self, data: memoryview, name: FileName) -> None:
        fault = _fault(data, name)
        if fault is not None:
            raise _damaged(name, fault)
        self.name = name
        self.size = len(data)
        self._data = data
        self._seen_blocks: dict[int, BlockPlace] = {}
        _, _, self.level, _, _, replaces, packs, blocks, self.entries = HEADER.unpack_from(data)
        at = HEADER.size
        self.replaces = tuple(
            FileName(data[i : i + NAME_SIZE])
            for i in range(at, at + replaces * NAME_SIZE, NAME_SIZE)
        )
        at += replaces * NAME_SIZE
        self.packs = tuple(
            (FileName(pack), size)
            for pack, size in PACK.iter_unpack(data[at : at + packs * PACK.size])
        )
        self._blocks = at + packs * PACK.size
        self._block_count = blocks
        fanout = self._blocks + blocks * BLOCK.size
        self._fanout = (0, *FANOUT.unpack_from(data, fanout))
        self._ids = fanout + FANOUT.size
        self._places = self._ids + self.entries * ID_SIZE

    @classmethod
    def open(cls, path: str, name: FileName) -> Self:
        """Open the index at `path`. Raises `FileNotFoundError`, or `IntegrityError` if damaged.

        Touching a mapped page of a file that another host deleted ends a process, so an index is
        mapped only where it is too large to be held.
        """
        fd = open_regular(path)
        with open(fd, "rb", buffering=0) as f:
            if os.fstat(fd).st_size <= _HELD:
                return cls(memoryview(f.read()), name)
            return cls(memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ)), name)

    def find(self, id_: ObjectId) -> Place | None:
        """Where `id_` is, or None."""
        row = self.row_of(id_)
        return None if row is None else self.place_at(row)

    def row_of(self, id_: bytes) -> int | None:
        """The number of the row of `id_`, or None."""
        key = bytes(id_)
        low, high = self._fanout[key[0]], self._fanout[key[0] + 1]
        while high - low > _SCANNED:
            middle = (low + high) // 2
            if self._raw_id_at(middle) <= key:
                low = middle
            else:
                high = middle
        rows = self._data[self._ids + low * ID_SIZE : self._ids + high * ID_SIZE].tobytes()
        at = rows.find(key)
        while at > 0 and at % ID_SIZE:  # the end of one id and the start of the next
            at = rows.find(key, at + 1)
        return None if at < 0 else low + at // ID_SIZE

    def rows_among(self, ids: AbstractSet[bytes]) -> Iterator[tuple[bytes, int]]:
        """Those of `ids` that it has, each with the number of its row."""
        if len(ids) * _SCAN_SHARE < self.entries:
            for id_ in ids:
                found = self.row_of(id_)
                if found is not None:
                    yield id_, found
            return
        for row, id_ in enumerate(self.raw_ids()):
            if id_ in ids:
                yield id_, row

    def blocks_among(
        self, ids: AbstractSet[bytes]
    ) -> Iterator[tuple[BlockPlace, list[tuple[int, int, Kind, bytes]]]]:
        """Those of `ids` that it has, by block: offset in it, size, kind and id of each.

        Raises as `place_at` does.
        """
        data, places, unpack, kinds = self._data, self._places, PLACE.unpack_from, _KINDS
        found: dict[int, list[tuple[int, int, int, bytes]]] = {}
        for id_, row in self.rows_among(ids):
            block, offset, size, kind = unpack(data, places + row * PLACE.size)
            if block in found:
                found[block].append((offset, size, kind, id_))
            else:
                found[block] = [(offset, size, kind, id_)]
        for block, parts in found.items():
            if block >= self._block_count:
                raise _damaged(self.name, "a place names no block")
            place = self._block_at(block)
            raw, here = place.raw, []
            for offset, size, kind, id_ in parts:
                if offset + size > raw or kind >= len(kinds):
                    raise _damaged(self.name, "a place is outside its block, or of no kind")
                here.append((offset, size, kinds[kind], id_))
            yield place, here

    def pack_at(self, row: int) -> int:
        """The number of the pack that a row's entry is in. Raises as `place_at` does."""
        (block,) = _BLOCK_NUMBER.unpack_from(self._data, self._places + row * PLACE.size)
        if block >= self._block_count:
            raise _damaged(self.name, "a place names no block")
        (pack,) = _PACK_NUMBER.unpack_from(self._data, self._blocks + block * BLOCK.size)
        return int(pack)

    def _raw_id_at(self, row: int) -> bytes:
        """An id without the check that it is one: a look-up compares a dozen."""
        at = self._ids + row * ID_SIZE
        return self._data[at : at + ID_SIZE].tobytes()

    def id_at(self, row: int) -> ObjectId:
        """The id of a row, 0 to `entries` - 1."""
        at = self._ids + row * ID_SIZE
        return ObjectId(self._data[at : at + ID_SIZE])

    def place_at(self, row: int) -> Place:
        """The place of a row. Raises `IntegrityError` if it points outside the index."""
        block, offset, size, kind = PLACE.unpack_from(self._data, self._places + row * PLACE.size)
        if block >= self._block_count or kind >= len(_KINDS):
            raise _damaged(self.name, "a place names no block")
        place = self._block_at(block)
        if offset + size > place.raw:
            raise _damaged(self.name, "a place is outside its block")
        return Place(place, offset, size, _KINDS[kind])

    def _block_at(self, block: int) -> BlockPlace:
        """A block's place; entries that are looked up together tend to share some."""
        place = self._seen_blocks.get(block)
        if place is None:
            at = self._blocks + block * BLOCK.size
            pack, start, stored, raw, codec = BLOCK.unpack_from(self._data, at)
            name, _ = self.packs[pack]
            place = BlockPlace(name, start, stored, raw, Codec(codec))
            if len(self._seen_blocks) >= _SEEN_BLOCKS:
                self._seen_blocks.clear()
            self._seen_blocks[block] = place
        return place

    def raw_ids(self) -> Iterator[bytes]:
        """All ids, ascending, without the check that they are ids."""
        end = self._ids + self.entries * ID_SIZE
        return (id_ for (id_,) in _ID.iter_unpack(self._data[self._ids : end]))

    def raw_places(self) -> Iterator[tuple[int, int, int, int]]:
        """Block number, offset, size and kind of each row: numbers as they stand there.

        Raises as `check_places` does, before the first.
        """
        self.check_places()
        return PLACE.iter_unpack(self._raw_places())

    def check_places(self) -> None:
        """Raise `IntegrityError` if a place names no block, or no kind.

        Opening an index leaves it out, since it takes a tenth of a second for a million entries.
        """
        data = self._raw_places()
        block, *_ = max(PLACE.iter_unpack(data), default=(-1,))
        kind = max(data[_KIND_AT :: PLACE.size].tobytes(), default=0)
        if block >= self._block_count or kind >= len(_KINDS):
            raise _damaged(self.name, "a place names no block")

    def _raw_places(self) -> memoryview:
        return self._data[self._places : self._places + self.entries * PLACE.size]

    def raw_blocks(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Pack number, offset, stored size, raw size and codec of each block."""
        end = self._blocks + self._block_count * BLOCK.size
        return BLOCK.iter_unpack(self._data[self._blocks : end])

    def rows(self) -> Iterator[tuple[ObjectId, Place]]:
        """All entries in the order of their ids."""
        for row in range(self.entries):
            yield self.id_at(row), self.place_at(row)


def _damaged(name: FileName, why: str) -> IntegrityError:
    return IntegrityError(f"index {name} is damaged", why=why, hint="Run `pivot verify --repair`")


def _fault(data: memoryview, name: FileName) -> str | None:
    """Why `data` is no usable index called `name`, or None. A newer format raises."""
    if len(data) < HEADER.size + FANOUT.size + _FOOTER_SIZE or data[:8] != MAGIC:
        return "it is no index, or ends early"
    _, version, _, _, inner, replaces, packs, blocks, entries = HEADER.unpack_from(data)
    if version > VERSION and not _was_ours(data):
        raise PivotError(
            f"index {name} has format {version}, newer than this Pivot reads",
            hint="Upgrade with `pip install --upgrade pivot`",
        )
    if version != VERSION:
        return f"it says that it has format {version}, which never was"
    if blake3(data[:-_FOOTER_SIZE]).digest() != data[-_FOOTER_SIZE:-8]:
        return "its checksum doesn't match"
    size = (
        HEADER.size + replaces * NAME_SIZE + packs * PACK.size + blocks * BLOCK.size
        + FANOUT.size + entries * (ID_SIZE + PLACE.size) + _FOOTER_SIZE
    )  # fmt: skip
    if inner != name or data[-8:] != END_MAGIC or size != len(data):
        return "its parts don't fit its size or its name"
    return _inner_fault(data, replaces, packs, blocks, entries)


def _was_ours(data: memoryview) -> bool:
    """Whether only damage makes it look newer: with our version its checksum would match."""
    at = len(MAGIC)
    body = blake3(data[:at]).update(VERSION.to_bytes(2, "little"))
    return bool(body.update(data[at + 2 : -_FOOTER_SIZE]).digest() == data[-_FOOTER_SIZE:-8])


def _inner_fault(
    data: memoryview, replaces: int, packs: int, blocks: int, entries: int
) -> str | None:
    """A checksum can be forged: numbers that point outside are a fault too."""
    at = HEADER.size + replaces * NAME_SIZE
    sizes = [size for _, size in PACK.iter_unpack(data[at : at + packs * PACK.size])]
    at += packs * PACK.size
    fan = at + blocks * BLOCK.size
    for pack, offset, stored, raw, codec in BLOCK.iter_unpack(data[at:fan]):
        if pack >= packs or codec not in _CODECS:
            return "a block names no pack, or no codec"
        if offset + stored > sizes[pack] or max(stored, raw) > MAX_RAW_SIZE:
            return "a block lies outside its pack, or is larger than any block"
    fanout = FANOUT.unpack_from(data, fan)
    if list(fanout) != sorted(fanout) or fanout[255] != entries:
        return "its fan-out doesn't count its entries"
    return None
