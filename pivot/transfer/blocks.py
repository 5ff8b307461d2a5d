"""Which blocks hold the entries that are needed, and opening them without trusting them."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.codec import MAX_RAW_SIZE, decompress
from pivot.store.entry import BlockPlace, Entry, Place, verify
from pivot.store.lookup import blocks
from pivot.store.store import Store


@dataclass(frozen=True, slots=True)
class NeededBlock:
    """A block, and those of its entries that are needed, with their offsets in the opened block."""

    place: BlockPlace
    parts: tuple[tuple[int, Entry], ...]

    @property
    def is_whole(self) -> bool:
        """Whether every byte of it is needed, so that it can be copied as it stands."""
        end = 0
        for offset, entry in self.parts:
            if offset != end:
                return False
            end += entry.size
        return end == self.place.raw

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for _, entry in self.parts)

    @property
    def size(self) -> int:
        """Uncompressed bytes of what is needed."""
        return sum(entry.size for _, entry in self.parts)


def needed_blocks(places: Iterable[tuple[ObjectId, Place]]) -> list[NeededBlock]:
    """The blocks of these entries, in the order of their packs and places there.

    Raises `IntegrityError` where an index declares a block larger than any.
    """
    parts: dict[BlockPlace, list[tuple[int, Entry]]] = {}
    for id_, place in places:
        if place.block.stored > MAX_RAW_SIZE:
            raise IntegrityError(f"an index declares a block of {place.block.stored} bytes")
        parts.setdefault(place.block, []).append((place.offset, Entry(id_, place.kind, place.size)))
    blocks = [
        NeededBlock(block, tuple(sorted(found, key=lambda part: (part[0], part[1].size))))
        for block, found in parts.items()
    ]
    return sorted(blocks, key=lambda block: (block.place.pack, block.place.offset))


def stored_blocks(
    store: Store, ids: Collection[ObjectId]
) -> tuple[list[NeededBlock], AbstractSet[bytes]]:
    """The blocks in which `store` has `ids`, in order as `needed_blocks`; and which it hasn't."""
    found = [
        NeededBlock(
            block,
            tuple((offset, Entry(id_, kind, size)) for offset, size, kind, id_ in sorted(parts)),
        )
        for block, parts in blocks(store, ids)
    ]
    found.sort(key=lambda block: (block.place.pack, block.place.offset))
    count = sum(len(block.parts) for block in found)
    if count == len(ids):
        return found, frozenset()
    there = {entry.id for block in found for _, entry in block.parts}
    return found, frozenset(ids) - there


def opened[T: (bytes, bytes | memoryview)](block: NeededBlock, stored: T) -> list[tuple[Entry, T]]:
    """The needed entries of a block with their bytes.

    Raises `IntegrityError`, which names an entry, unless each is what its id says.
    """
    raw = opened_raw(block, stored)
    return [(entry, raw[offset : offset + entry.size]) for offset, entry in block.parts]


def opened_raw[T: (bytes, bytes | memoryview)](block: NeededBlock, stored: T) -> T:
    """The opened block; the needed entries in it were verified, as `opened` does it."""
    try:
        raw = decompress(block.place.codec, stored, block.place.raw)
    except IntegrityError as error:
        name = block.parts[0][1].id.hex()[:12]
        raise IntegrityError(
            f"stored bytes of {name} are damaged", why=error.why or error.message
        ) from error
    view = memoryview(raw)
    for offset, (id_, kind, size) in block.parts:
        verify(id_, kind, view[offset : offset + size])
    return raw
