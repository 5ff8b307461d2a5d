import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.store.chunking import FILES, TREES, cut


class Dribble:
    """A stream that gives less than it is asked for, as pipes do."""

    def __init__(self, data, seed):
        self._data = io.BytesIO(data)
        self._random = random.Random(seed)

    def read(self, n, /):
        return self._data.read(self._random.randint(1, n))


def lengths(data):
    return [len(chunk) for chunk in cut(io.BytesIO(data))]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 3 << 20), st.integers(0, 100))
def test_chunks_are_the_stream_in_order_and_within_their_bounds(size, seed):
    data = random.Random(seed).randbytes(size)
    chunks = list(cut(io.BytesIO(data)))
    assert b"".join(chunks) == data
    assert all(FILES.smallest <= len(chunk) <= FILES.largest for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= FILES.largest for chunk in chunks)


def test_cuts_do_not_depend_on_how_the_stream_arrives():
    data = random.Random(7).randbytes(3 << 20)
    assert [len(chunk) for chunk in cut(Dribble(data, 1))] == lengths(data)


def test_an_inserted_byte_changes_few_chunks():
    data = random.Random(3).randbytes(6 << 20)
    before = set(cut(io.BytesIO(data)))
    after = set(cut(io.BytesIO(data[: 3 << 20] + b"!" + data[3 << 20 :])))
    assert len(after - before) <= 3
    assert len(before) > 10


def test_a_stream_of_zeros_is_cut_at_the_maximum():
    assert lengths(bytes((2 << 20) + 5)) == [FILES.largest, FILES.largest, 5]


def test_listings_are_cut_finer():
    data = random.Random(5).randbytes(1 << 20)
    chunks = list(cut(io.BytesIO(data), TREES))
    assert b"".join(chunks) == data
    assert all(TREES.smallest <= len(chunk) <= TREES.largest for chunk in chunks[:-1])
    assert len(chunks) > 30
