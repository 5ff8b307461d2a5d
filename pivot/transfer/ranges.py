"""Which bytes of a remote pack to ask for: few requests, little that isn't needed. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pivot.store.entry import FileName
from pivot.transfer.blocks import NeededBlock

# Bytes that cost about as much as another request.
GAP: Final = 1 << 20
LONGEST: Final = 8 << 20
# Packs up to this size are fetched whole while it isn't known yet how much of them is needed.
SMALL_PACK: Final = 8 << 20
WHOLE_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Range:
    """`length` bytes from `start` of a pack, and the needed blocks in them."""

    pack: FileName
    start: int
    length: int
    blocks: tuple[NeededBlock, ...]


def wants_whole(blocks: Sequence[NeededBlock], pack_size: int, *, share_known: bool) -> bool:
    """Whether a pack is better fetched whole."""
    needed = sum(block.place.stored for block in blocks)
    if needed >= WHOLE_SHARE * pack_size and len(blocks) > 1:
        return True
    return not share_known and pack_size <= SMALL_PACK


def ranges(blocks: Sequence[NeededBlock]) -> Iterator[Range]:
    """The ranges that cover blocks of one pack, given in the order of their offsets.

    Blocks less than `GAP` apart share one of up to `LONGEST`; a longer block has its own.
    """
    group: list[NeededBlock] = []
    for block in blocks:
        if group:
            start, end = group[0].place.offset, _end(group[-1])
            far = block.place.offset - end > GAP or _end(block) - start > LONGEST
            if far:
                yield _range(group)
                group = []
        group.append(block)
    if group:
        yield _range(group)


def _end(block: NeededBlock) -> int:
    return block.place.offset + block.place.stored


def _range(group: Sequence[NeededBlock]) -> Range:
    start = group[0].place.offset
    return Range(group[0].place.pack, start, _end(group[-1]) - start, tuple(group))
