"""Making indexes, whose layout `pivot.store.index` describes."""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from blake3 import blake3

from pivot.files import write_atomic
from pivot.hashing import ID_SIZE, ObjectId
from pivot.store.access import file_mode
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import (
    BLOCK,
    END_MAGIC,
    FANOUT,
    HEADER,
    MAGIC,
    PACK,
    PLACE,
    VERSION,
    index_key,
)


class IndexParts:
    """An index that is being made: rows in the order of their ids, blocks in any."""

    def __init__(self, name: FileName, level: int, replaces: Sequence[FileName]) -> None:
        self.name = name
        self._level = level
        self._replaces = replaces
        self._packs: dict[FileName, tuple[int, int]] = {}  # number and size, in order
        self._blocks = bytearray()
        self._counts = [0] * 256
        self._ids = bytearray()
        self._places = bytearray()

    def add_block(self, pack: FileName, pack_size: int, place: tuple[int, int, int, int]) -> int:
        """Add a block: its offset, stored and raw size, and codec. Returns its number."""
        number, _ = self._packs.setdefault(pack, (len(self._packs), pack_size))
        self._blocks += BLOCK.pack(number, *place)
        return len(self._blocks) // BLOCK.size - 1

    def add(self, id_: bytes, block: int, offset: int, size: int, kind: int) -> None:
        """Add an entry; its id is greater than all before."""
        self._counts[id_[0]] += 1
        self._ids += id_
        self._places += PLACE.pack(block, offset, size, kind)

    def encode(self) -> bytes:
        """The index's bytes."""
        entries = len(self._ids) // ID_SIZE
        numbers = len(self._packs), len(self._blocks) // BLOCK.size, entries
        body = b"".join(
            (
                HEADER.pack(
                    MAGIC, VERSION, self._level, 0, self.name, len(self._replaces), *numbers
                ),
                *self._replaces,
                *(PACK.pack(pack, size) for pack, (_, size) in self._packs.items()),
                self._blocks,
                FANOUT.pack(*accumulate(self._counts)),
                self._ids,
                self._places,
            )
        )
        return b"".join((body, blake3(body).digest(), END_MAGIC))


def encode(
    name: FileName,
    rows: Mapping[ObjectId, Place],
    pack_sizes: Mapping[FileName, int],
    *,
    level: int = 0,
    replaces: Sequence[FileName] = (),
) -> bytes:
    """The bytes of an index over `rows`; every pack they name must have its size given."""
    parts = IndexParts(name, level, replaces)
    places = {(p.block.pack, p.block.offset): p.block for p in rows.values()}
    numbers = {
        key: parts.add_block(b.pack, pack_sizes[b.pack], (b.offset, b.stored, b.raw, b.codec))
        for key, b in sorted(places.items())
    }
    for id_ in sorted(rows):
        place = rows[id_]
        block = numbers[place.block.pack, place.block.offset]
        parts.add(id_, block, place.offset, place.size, place.kind)
    return parts.encode()


def index_of(packs: Collection[PackInfo]) -> tuple[FileName, bytes]:
    """A new index over all entries of finished packs, as its name and bytes."""
    parts = IndexParts(FileName.fresh(), 0, ())
    rows: dict[ObjectId, tuple[int, int, int, int]] = {}
    for pack in packs:
        for block in pack.blocks:
            place = block.place
            number = parts.add_block(
                pack.name, pack.size, (place.offset, place.stored, place.raw, place.codec)
            )
            at = 0
            for id_, kind, size in block.entries:
                rows[id_] = number, at, size, kind
                at += size
    for id_ in sorted(rows):
        parts.add(id_, *rows[id_])
    return parts.name, parts.encode()


def rows_of(packs: Iterable[PackInfo]) -> Iterator[tuple[ObjectId, Place]]:
    """Where each entry of finished packs is."""
    for pack in packs:
        for block in pack.blocks:
            at = 0
            for entry in block.entries:
                yield entry.id, Place(block.place, at, entry.size, entry.kind)
                at += entry.size


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
    land_index(root, name, encode(name, rows, pack_sizes, level=level, replaces=replaces))
    return name


def land_index(root: str, name: FileName, data: bytes) -> None:
    """Give an index's bytes their place, synced; as readable as the store's folder."""
    path = os.path.join(root, index_key(name))
    try:
        write_atomic(path, data, mode=file_mode(root), exact=True)
    except BaseException:
        with contextlib.suppress(OSError):  # it has its name if only the folder's sync failed
            os.unlink(path)
        raise
