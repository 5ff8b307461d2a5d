import struct

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import IntegrityError, PivotError
from pivot.hashing import ObjectId, hash_bytes
from pivot.store.codec import Codec
from pivot.store.entry import BlockPlace, FileName, Kind, Place
from pivot.store.index import Index
from pivot.store.indexing import encode
from pivot.store.merge import merge

NAME = FileName(range(16))
PACKS = (FileName(b"p" * 16), FileName(b"q" * 16))
BLOCKS = (
    BlockPlace(PACKS[0], 100, 20, 40, Codec.ZSTD),
    BlockPlace(PACKS[1], 300, 40, 40, Codec.RAW),
)
SIZES = {PACKS[0]: 1000, PACKS[1]: 2000}
ROWS = {
    hash_bytes(b"a"): Place(BLOCKS[0], 0, 30, Kind.DATA),
    hash_bytes(b"b"): Place(BLOCKS[0], 30, 10, Kind.DATA),
    hash_bytes(b"c"): Place(BLOCKS[1], 0, 40, Kind.RECIPE),
}

ids = st.binary(min_size=32, max_size=32).map(ObjectId)
places = st.builds(
    Place, st.sampled_from(BLOCKS), st.integers(0, 20), st.integers(0, 20), st.sampled_from(Kind)
)


def encoded(rows=ROWS, **options):
    return encode(NAME, rows, SIZES, **options)


def opened(data, name=NAME):
    return Index(memoryview(data), name)


def resealed(data):
    return data[:-40] + blake3(data[:-40]).digest() + data[-8:]


@given(st.dictionaries(ids, places, max_size=40), ids)
def test_an_index_finds_what_it_was_made_of_and_nothing_else(rows, other):
    index = opened(encoded(rows))
    assert {id_: index.find(id_) for id_ in rows} == rows
    assert index.find(other) == rows.get(other)
    assert list(index.rows()) == sorted(rows.items())


def test_ids_that_share_their_first_byte_are_told_apart():
    rows = {ObjectId(b"\xff" + bytes(30) + bytes([n])): ROWS[hash_bytes(b"a")] for n in range(9)}
    index = opened(encoded(rows))
    assert all(index.find(id_) for id_ in rows)
    assert index.find(ObjectId(b"\xff" * 32)) is None
    assert index.find(ObjectId(b"\xff" + bytes(30) + b"\x09")) is None
    assert index.find(ObjectId(bytes(32))) is None


def test_it_says_its_level_what_it_replaces_and_its_packs():
    index = opened(encoded(level=3, replaces=(PACKS[1], NAME)))
    assert (index.level, index.replaces) == (3, (PACKS[1], NAME))
    assert dict(index.packs) == SIZES


def test_only_packs_that_are_used_are_named():
    rows = {hash_bytes(b"a"): ROWS[hash_bytes(b"a")]}
    assert dict(opened(encoded(rows)).packs) == {PACKS[0]: 1000}


def test_equal_rows_make_equal_bytes_in_any_order():
    assert encoded(dict(reversed(ROWS.items()))) == encoded()


def test_every_flipped_byte_is_detected():
    data = bytearray(encoded())
    for at in range(len(data)):
        data[at] ^= 0x01
        with pytest.raises(IntegrityError):
            opened(bytes(data))
        data[at] ^= 0x01


def test_every_truncation_is_detected():
    data = encoded()
    for end in range(len(data)):
        with pytest.raises(IntegrityError):
            opened(data[:end])


def test_no_forged_byte_is_a_foreign_exception_or_a_place_outside():
    data = encoded(replaces=(PACKS[0],))
    for at in range(len(data) - 40):
        if 2 * 16 + 16 + 48 + 48 < at < len(data) - 40 - 3 * 48 - 8:
            continue  # most of the fan-out is zeros alike
        for bit in (0x01, 0x80):
            forged = bytearray(data)
            forged[at] ^= bit
            try:
                rows = list(opened(resealed(bytes(forged))).rows())
            except PivotError:
                continue
            for _, place in rows:
                assert place.offset + place.size <= place.block.raw
                assert place.block.offset + place.block.stored <= 2**63


@pytest.mark.parametrize(
    "block",
    [
        BlockPlace(PACKS[0], 990, 20, 40, Codec.ZSTD),
        BlockPlace(PACKS[0], 2**64 - 1, 20, 40, Codec.ZSTD),
        BlockPlace(PACKS[0], 0, 20, 2**32 - 1, Codec.ZSTD),
    ],
)
def test_a_block_outside_its_pack_or_too_large_is_refused(block):
    rows = {hash_bytes(b"a"): Place(block, 0, 1, Kind.DATA)}
    with pytest.raises(IntegrityError, match="damaged"):
        opened(encoded(rows))


def test_a_place_outside_its_block_is_refused():
    rows = {hash_bytes(b"a"): Place(BLOCKS[0], 30, 11, Kind.DATA)}
    with pytest.raises(IntegrityError, match="damaged"):
        opened(encoded(rows)).find(hash_bytes(b"a"))


@pytest.mark.parametrize(("field", "number"), [(0, 2), (0, 2**32 - 1), (12, 3), (12, 255)])
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_places_are_checked_before_their_numbers_are_used(row, field, number):
    data = bytearray(encoded())
    at = len(data) - 40 - (len(ROWS) - row) * 16 + field
    data[at : at + (1 if field else 4)] = number.to_bytes(1 if field else 4, "little")
    index = opened(resealed(bytes(data)))
    for use in (index.raw_places, index.check_places, lambda: merge([index], _all, level=0)):
        with pytest.raises(IntegrityError, match="damaged") as raised:
            use()
        assert (raised.value.why, raised.value.hint) == (
            "a place names no block",
            "Run `pivot verify --repair`",
        )


def _all(_number, _row):
    return True


def test_sound_places_are_given_as_they_are():
    found = sorted(opened(encoded()).raw_places())
    assert [place[1:] for place in found] == [(0, 30, 0), (30, 10, 0), (0, 40, Kind.RECIPE)]
    assert list(opened(encoded({})).raw_places()) == []


def test_counts_that_would_need_more_bytes_than_there_are_allocate_nothing():
    data = bytearray(encoded())
    for at in (32, 36, 40, 44):
        forged = bytearray(data)
        forged[at : at + 4] = struct.pack("<I", 2**32 - 1)
        with pytest.raises(IntegrityError):
            opened(resealed(bytes(forged)))


def test_an_index_under_another_name_is_refused():
    with pytest.raises(IntegrityError, match="name"):
        opened(encoded(), FileName(bytes(16)))


def test_a_newer_format_is_refused_by_name():
    data = encoded()
    with pytest.raises(PivotError, match="format 2, newer"):
        opened(resealed(data[:8] + b"\x02\x00" + data[10:]))


@pytest.mark.parametrize("version", [b"\x02\x00", b"\x00\x00"])
def test_a_version_that_was_flipped_is_damage(version):
    data = encoded()
    with pytest.raises(IntegrityError, match="damaged"):
        opened(data[:8] + version + data[10:])
    with pytest.raises(IntegrityError, match="never was"):
        opened(resealed(data[:8] + b"\x00\x00" + data[10:]))


def test_an_empty_file_is_a_damaged_index(tmp_path):
    (tmp_path / "x.idx").touch()
    with pytest.raises(IntegrityError, match="damaged"):
        Index.open(str(tmp_path / "x.idx"), NAME)
