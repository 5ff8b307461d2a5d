from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pivot.hashing import hash_bytes
from pivot.store.codec import Codec
from pivot.store.entry import BlockPlace, Entry, FileName, Kind
from pivot.transfer.blocks import NeededBlock
from pivot.transfer.ranges import LONGEST, REQUEST, SMALL_PACK, cost, ranges, wants_whole

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
            assert two.place.offset - one.place.offset - one.place.stored <= REQUEST
    for one, two in pairwise(asked):
        start, end = two.blocks[0].place, two.start + two.blocks[0].place.stored
        assert start.offset - one.start - one.length > REQUEST or end - one.start > LONGEST


def whole(size, *spans, share_known=True):
    return wants_whole(tuple(ranges(blocks_at(*spans))), size, share_known=share_known)


def test_a_request_costs_as_much_as_the_bytes_of_its_latency():
    assert cost([10, 20]) == 2 * REQUEST + 30
    assert cost([]) == 0


def test_a_pack_is_fetched_whole_where_its_ranges_would_cost_more():
    """Each of eight neighbours of 8 MiB is a request."""
    mib = 1 << 20
    assert whole(64 * mib, *((n * 8 * mib, 8 * mib) for n in range(8)))
    assert not whole(64 * mib, *((n * 8 * mib, 8 * mib) for n in range(4)))
    assert not whole(64 * mib, *((n * 4 * mib, mib) for n in range(16)))
    assert not whole(64 * mib, (32 * mib, 10 * mib))


@given(spans(), st.integers(0, 64 << 20))
def test_neither_way_is_taken_where_the_other_is_cheaper(found, rest):
    size = found[-1][0] + found[-1][1] + rest
    parts = tuple(ranges(blocks_at(*found)))
    by_parts = cost([part.length for part in parts])
    assert wants_whole(parts, size, share_known=True) == (REQUEST + size <= by_parts)


def test_a_small_pack_is_fetched_whole_while_its_share_is_unknown():
    assert whole(SMALL_PACK, (0, 100), share_known=False)
    assert not whole(SMALL_PACK + 1, (0, 100), share_known=False)
    assert not whole(SMALL_PACK, (0, 100))
