"""Which bytes of a remote pack to ask for: few requests, little that isn't needed. Pure.

The rule is one of cost: a request counts as much as `REQUEST` bytes, which is what comes down the
wire in the time that it takes to be answered (80 ms at 100 Mbit/s). So two blocks share a range if
what lies between them is cheaper than another request, and a pack is fetched whole if that is
cheaper than its ranges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pivot.store.entry import FileName
from pivot.transfer.blocks import NeededBlock

REQUEST: Final = 1 << 20
# A range is held in memory, and repeated whole where it fails. Several are under way at once, which
# is faster than one stream; and a push of few bytes makes packs that are one range.
LONGEST: Final = 16 << 20
# Packs up to this size are fetched whole while it isn't known yet how much of them is needed.
SMALL_PACK: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Range:
    """`length` bytes from `start` of a pack, and the needed blocks in them."""

    pack: FileName
    start: int
    length: int
    blocks: tuple[NeededBlock, ...]


def cost(parts: Sequence[int]) -> int:
    """What requests for parts of these lengths cost, in bytes."""
    return sum(REQUEST + length for length in parts)


def wants_whole(parts: Sequence[Range], pack_size: int, *, share_known: bool) -> bool:
    """Whether a pack is better fetched whole than by `parts`."""
    if not share_known and pack_size <= SMALL_PACK:
        return True
    return cost([pack_size]) <= cost([part.length for part in parts])


def ranges(blocks: Sequence[NeededBlock], *, through: bool = False) -> Iterator[Range]:
    """The ranges that cover blocks of one pack, given in the order of their offsets.

    Blocks that are less than a request's cost apart share one of up to `LONGEST`; a longer block
    has its own. With `through` it doesn't matter how far apart they are.
    """
    group: list[NeededBlock] = []
    for block in blocks:
        if group:
            start, end = group[0].place.offset, _end(group[-1])
            is_far = block.place.offset - end > REQUEST and not through
            if is_far or _end(block) - start > LONGEST:
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
