import pytest

from pivot.errors import IntegrityError
from pivot.hashing import hash_bytes
from pivot.store.codec import MAX_RAW_SIZE, Codec
from pivot.store.entry import BlockPlace, FileName, Kind, Place
from pivot.transfer.blocks import needed_blocks, opened

PACK = FileName.fresh()
PARTS = (b"", b"one", b"three")
RAW = b"".join(PARTS)
BLOCK = BlockPlace(PACK, 100, len(RAW), len(RAW), Codec.RAW)


def places(*parts):
    at = {b"": 0, b"one": 0, b"three": 3}
    return [(hash_bytes(p), Place(BLOCK, at[p], len(p), Kind.DATA)) for p in parts]


def test_a_block_is_whole_only_if_all_its_bytes_are_needed():
    (block,) = needed_blocks(places(b"three", b"one", b""))
    assert block.is_whole
    assert [entry.size for entry in block.entries] == [0, 3, 5]
    for part in ([b"three"], [b"one", b""], [b""]):
        (block,) = needed_blocks(places(*part))
        assert not block.is_whole


def test_blocks_come_in_the_order_of_their_places():
    far = BlockPlace(PACK, 500, 3, 3, Codec.RAW)
    found = [(hash_bytes(b"far"), Place(far, 0, 3, Kind.DATA)), *places(b"one")]
    assert [block.place.offset for block in needed_blocks(found)] == [100, 500]


def test_an_impossible_size_is_refused_before_anything_is_read():
    huge = BlockPlace(PACK, 0, MAX_RAW_SIZE + 1, 10, Codec.RAW)
    with pytest.raises(IntegrityError, match="declares a block"):
        needed_blocks([(hash_bytes(b"x"), Place(huge, 0, 1, Kind.DATA))])


def test_opening_gives_each_entry_its_bytes():
    (block,) = needed_blocks(places(*PARTS))
    assert [data for _, data in opened(block, RAW)] == list(PARTS)


@pytest.mark.parametrize("stored", [b"onethreE", b"onethre", b"onethree!"])
def test_bytes_that_are_not_what_their_id_says_are_refused_by_name(stored):
    (block,) = needed_blocks(places(b"three"))
    with pytest.raises(IntegrityError, match=hash_bytes(b"three").hex()[:12]):
        opened(block, stored)


def test_an_entry_beyond_its_block_is_refused():
    wrong = [(hash_bytes(b"three"), Place(BLOCK, 6, 5, Kind.DATA))]
    (block,) = needed_blocks(wrong)
    with pytest.raises(IntegrityError):
        opened(block, RAW)
