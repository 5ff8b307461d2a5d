"""What a collection would remove, decided from marks before anything is touched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from pivot.store.entry import FileName
from pivot.store.index import Index
from pivot.store.pack import PACK_OVERHEAD, block_size

# A pack of which less than this is needed is written anew; the rest of it is worth the room.
WORTH_KEEPING = 0.5


@dataclass(frozen=True, slots=True)
class GcPlan:
    """What becomes of each pack.

    Attributes:
        remove: packs of which nothing is needed.
        repack: packs of which less than half is needed: that is written anew.
        sizes: the size in bytes of every pack that is there.
        kept_entries, removed_entries: counts; an entry that lies in several packs counts once
            for each.
        kept_bytes: stored bytes of what is needed.
        removed_bytes: how many bytes the store's packs will be smaller by.
        stale: whether indexes name anything that isn't needed, or isn't there.
    """

    remove: tuple[FileName, ...]
    repack: tuple[FileName, ...]
    sizes: Mapping[FileName, int]
    kept_entries: int
    removed_entries: int
    kept_bytes: int
    removed_bytes: int
    stale: bool


def make_plan(
    indexes: Sequence[Index], marks: Sequence[bytearray], sizes: Mapping[FileName, int]
) -> GcPlan:
    """Decide by the marks of the indexes' rows; `sizes` are those of the packs that are there."""
    stored = dict.fromkeys(sizes, 0)
    written = dict.fromkeys(sizes, 0)
    for index, marked in zip(indexes, marks, strict=True):
        for pack, payload, entries in _needed(index, marked):
            if pack in sizes:
                stored[pack] += payload
                written[pack] += block_size(payload, entries)
    remove = tuple(pack for pack, size in written.items() if not size)
    repack = tuple(
        pack
        for pack, size in written.items()
        if size and size + PACK_OVERHEAD < sizes[pack] * WORTH_KEEPING
    )
    entries, kept = sum(index.entries for index in indexes), sum(map(sum, marks))
    return GcPlan(
        remove=remove,
        repack=repack,
        sizes=sizes,
        kept_entries=kept,
        removed_entries=entries - kept,
        kept_bytes=sum(stored.values()),
        removed_bytes=sum(sizes[pack] for pack in remove)
        + sum(sizes[pack] - written[pack] - PACK_OVERHEAD for pack in repack),
        stale=kept < entries,
    )


def _needed(index: Index, marked: bytearray) -> Iterator[tuple[FileName, int, int]]:
    """Stored bytes and number of marked rows, by block; of a shared block their part."""
    blocks = list(index.raw_blocks())
    sizes, counts = [0] * len(blocks), [0] * len(blocks)
    for block, _, size, _ in compress(index.raw_places(), marked):
        sizes[block] += size
        counts[block] += 1
    for (pack, _, stored, raw, _), size, count in zip(blocks, sizes, counts, strict=True):
        if count:
            yield index.packs[pack][0], stored * size // raw if raw else stored, count
