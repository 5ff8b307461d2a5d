"""Merging indexes: the rows of all, each id once."""

import pytest

from pivot.hashing import hash_bytes
from pivot.store.entry import BlockPlace, FileName, Kind, Place
from pivot.store.index import Index
from pivot.store.indexing import encode
from pivot.store.merge import merge


def index(rows, *, level=0):
    """An index over data by their text: (pack, offset of the block, offset in it)."""
    name = FileName.fresh()
    places = {
        hash_bytes(text): Place(BlockPlace(pack, at, 10, 100, 1), inner, len(text), Kind.DATA)
        for text, (pack, at, inner) in rows.items()
    }
    sizes = {pack: 1000 + pack[0] for pack, _, _ in rows.values()}
    return Index(memoryview(encode(name, places, sizes, level=level)), name)


def opened(made):
    name, data = made
    return Index(memoryview(data), name)


A, B, C = (FileName(bytes([n]) * 16) for n in (1, 2, 3))


def test_the_result_has_the_rows_of_all_as_they_were():
    one = index({b"a": (A, 40, 0), b"b": (A, 40, 1), b"c": (B, 80, 5)})
    two = index({b"d": (C, 0, 0), b"e": (A, 500, 7)})
    found = opened(merge([one, two], lambda *_: True, level=3, replaces=(one.name, two.name)))
    assert dict(found.rows()) == dict(one.rows()) | dict(two.rows())
    assert (found.level, found.replaces) == (3, (one.name, two.name))
    assert dict(found.packs) == dict(one.packs) | dict(two.packs)


def test_an_id_that_several_have_is_there_once_at_the_first_place_that_is_wanted():
    one = index({b"same": (A, 40, 0)})
    two = index({b"same": (B, 80, 3)})
    both = opened(merge([one, two], lambda *_: True, level=1))
    assert list(both.rows()) == list(one.rows())
    second = opened(merge([one, two], lambda number, _: number == 1, level=1))
    assert list(second.rows()) == list(two.rows())


def test_rows_that_are_not_wanted_leave_no_block_and_no_pack():
    one = index({b"keep": (A, 40, 0), b"drop": (B, 80, 0)})
    keep = one.row_of(hash_bytes(b"keep"))
    found = opened(merge([one], lambda _, row: row == keep, level=0))
    assert [id_ for id_, _ in found.rows()] == [hash_bytes(b"keep")]
    assert [name for name, _ in found.packs] == [A]
    assert len(list(found.raw_blocks())) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_merges_into_an_index_of_nothing(count):
    found = opened(merge([index({})] * count, lambda *_: True, level=0))
    assert found.entries == 0
    assert found.find(hash_bytes(b"")) is None
