"""From a stream to entries, however the stream arrives."""

import io
import json
import random
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.hashing import hash_bytes
from pivot.store.chunking import FILES, TREES
from pivot.store.entry import Kind, identify
from pivot.store.recipe import Recipe
from pivot.store.split import FILE, TREE, split

GOLDEN = Path(__file__).parents[2] / "golden" / "chunks.json"
# The stream of the golden vectors; `docs/format.md` says how it is made.
STREAM = blake3(b"pivot golden stream").digest(length=8 << 20)


class Dribble:
    """A stream that gives less than it is asked for, as pipes do: never an even number of bytes."""

    def __init__(self, data, seed, most):
        self._data = io.BytesIO(data)
        self._random = random.Random(seed)
        self._most = most

    def read(self, n, /):
        return self._data.read(min(n, 2 * self._random.randint(0, self._most // 2) + 1))


def entries(stream, form=FILE):
    """What `split` hands on, and what it tells."""
    found = []

    def put(data, kind):
        found.append((kind, data))
        return identify(data, kind)

    return found, split(stream, put, form)


def lengths(data, form):
    found, _ = entries(Dribble(data, 1, 70_001), form)
    assert [kind for kind, _ in found] == [Kind.DATA] * (len(found) - 1) + [Kind.RECIPE]
    return [len(part) for _, part in found[:-1]]


@pytest.mark.parametrize(
    ("form", "size", "name"), [(FILE, 8 << 20, "lengths"), (TREE, 1 << 20, "listing_lengths")]
)
def test_a_dribbling_stream_is_cut_where_the_golden_vectors_say(form, size, name):
    assert lengths(STREAM[:size], form) == json.loads(GOLDEN.read_text())[name]


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([FILE, TREE]),
    st.sampled_from([0, 1, FILES.threshold, TREES.threshold]).flatmap(
        lambda size: st.integers(max(size - 2, 0), size + 2)
    )
    | st.integers(0, 3 << 20),
    st.integers(0, 9),
    st.sampled_from([99_991, 1_000_003, 5_000_000]),
)
def test_entries_do_not_depend_on_how_a_stream_arrives(form, size, seed, most):
    data = STREAM[seed : seed + size]
    found, added = entries(Dribble(data, seed, most), form)
    assert (found, added) == entries(io.BytesIO(data), form)
    assert added.size == size
    assert b"".join(part for kind, part in found if kind is not Kind.RECIPE) == data


def test_what_is_up_to_the_threshold_is_one_entry_and_more_has_a_recipe():
    whole, cut = STREAM[: FILES.threshold], STREAM[: FILES.threshold + 1]
    found, told = entries(io.BytesIO(whole))
    assert found == [(Kind.DATA, whole)]
    assert (told.id, told.recipe) == (hash_bytes(whole), None)
    found, told = entries(io.BytesIO(cut))
    recipe = Recipe.decode(found[-1][1])
    assert (recipe.file, recipe.size) == (told.id, told.size) == (hash_bytes(cut), len(cut))
    assert recipe.chunks == tuple((hash_bytes(part), len(part)) for _, part in found[:-1])
