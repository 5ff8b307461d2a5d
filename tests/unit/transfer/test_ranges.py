from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pivot.hashing import hash_bytes
from pivot.store.codec import Codec
from pivot.store.entry import BlockPlace, Entry, FileName, Kind
from pivot.transfer.blocks import NeededBlock
from pivot.transfer.ranges import GAP, LONGEST, SMALL_PACK, ranges, wants_whole

PACK = FileName.fresh()


def blocks_at(*spans):
    return [
        NeededBlock(
            BlockPlace(PACK, start, size, size, Codec.RAW),
            ((0, Entry(hash_bytes(b"%d" % start), Kind.DATA, size)),),
        )
        for start, size in spans
    ]


@st.composite
def spans(draw):
    at, found = 0, []
    sizes = st.integers(1, 9 << 20)
    for gap, size in draw(st.lists(st.tuples(st.integers(0, 3 << 20), sizes), min_size=1)):
        found.append((at + gap, size))
        at += gap + size
    return found


@given(spans())
def test_every_block_is_in_one_range_and_no_range_is_wasteful(found):
    blocks = blocks_at(*found)
    asked = list(ranges(blocks))
    assert [block for part in asked for block in part.blocks] == blocks
    for part in asked:
        assert part.start == part.blocks[0].place.offset
        last = part.blocks[-1].place
        assert part.start + part.length == last.offset + last.stored
        assert part.length <= LONGEST or len(part.blocks) == 1
        for one, two in pairwise(part.blocks):
            assert two.place.offset - one.place.offset - one.place.stored <= GAP
    for one, two in pairwise(asked):
        start, end = two.blocks[0].place, two.start + two.blocks[0].place.stored
        assert start.offset - one.start - one.length > GAP or end - one.start > LONGEST


def test_a_pack_of_which_half_is_needed_is_fetched_whole():
    blocks = blocks_at((0, 30 << 20), (32 << 20, 10 << 20))
    assert wants_whole(blocks, 64 << 20, share_known=True)
    assert not wants_whole(blocks[1:], 64 << 20, share_known=True)


def test_a_small_pack_is_fetched_whole_while_its_share_is_unknown():
    blocks = blocks_at((0, 100))
    assert wants_whole(blocks, SMALL_PACK, share_known=False)
    assert not wants_whole(blocks, SMALL_PACK + 1, share_known=False)
    assert not wants_whole(blocks, SMALL_PACK, share_known=True)
