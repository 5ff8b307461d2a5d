"""Files that were cut, read as one: what is wrong is found at the end at the latest, and named."""

import io
import os

import pytest

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import hash_bytes
from pivot.store.entry import Kind
from pivot.store.pack import pack_key
from pivot.store.pieces import pieces
from pivot.store.recipe import Recipe
from pivot.store.store import Store

DATA = os.urandom(5 << 20)


@pytest.fixture
def store(tmp_path):
    return Store.open(str(tmp_path / "store"))


@pytest.fixture
def cut(store):
    """A file of several pieces: its id, and that of its recipe."""
    with store.writer() as writer:
        added = writer.add_stream(io.BytesIO(DATA))
    return added.id, added.recipe


def forge(store, recipe):
    with store.writer() as writer:
        return recipe.file, writer.add_bytes(recipe.encode(), Kind.RECIPE)


def spoil(store, id_):
    """Flip a bit of an entry where it lies."""
    place = store.find(id_)
    path = os.path.join(store.root, pack_key(place.block.pack))
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[place.block.offset + place.offset] ^= 1
    os.chmod(path, 0o644)
    with open(path, "wb") as file:
        file.write(data)


def test_the_pieces_are_the_file(store, cut):
    found = list(pieces(store, *cut))
    assert len(found) > 2
    assert b"".join(chunk for piece in found for chunk in piece) == DATA


@pytest.mark.parametrize("number", [0, -1])
def test_a_damaged_chunk_is_named_with_its_pack(store, cut, number):
    id_ = store.recipe(cut[1]).chunks[number][0]
    pack = store.find(id_).block.pack
    spoil(store, id_)
    with pytest.raises(IntegrityError, match=f"pack {pack} in the cache is damaged") as caught:
        list(pieces(Store.open(store.root), *cut))
    assert id_.hex()[:12] in caught.value.why


def test_a_file_of_which_a_chunk_is_gone_is_missing(store, cut):
    true = store.recipe(cut[1])
    lacking = Recipe(true.file, true.size + 4, (*true.chunks, (hash_bytes(b"gone"), 4)))
    with pytest.raises(MissingDataError):
        list(pieces(store, *forge(store, lacking)))


def test_a_recipe_that_lies_about_its_file_is_refused(store, cut):
    true = store.recipe(cut[1])
    lie = forge(store, Recipe(hash_bytes(b"what was reviewed"), true.size, true.chunks))
    with pytest.raises(IntegrityError, match="not what its recipe makes"):
        list(pieces(store, *lie))


def test_a_recipe_that_lies_about_a_chunk_is_refused(store, cut):
    true = store.recipe(cut[1])
    (one, a), (two, b), *rest = true.chunks
    lie = forge(store, Recipe(true.file, true.size, ((one, a + 1), (two, b - 1), *rest)))
    with pytest.raises(IntegrityError, match="another size"):
        list(pieces(store, *lie))


def test_a_recipe_of_another_file_is_refused(store, cut):
    with pytest.raises(IntegrityError, match="belongs to another file"):
        list(pieces(store, hash_bytes(b"other"), cut[1]))
