import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId, hash_bytes
from pivot.store.recipe import Recipe, recipe_id

ids = st.binary(min_size=32, max_size=32).map(ObjectId)
chunk_lists = st.lists(st.tuples(ids, st.integers(0, 2**32 - 1)), max_size=5).map(tuple)


def made(file, chunks):
    return Recipe(file, sum(size for _, size in chunks), chunks)


@given(ids, chunk_lists)
def test_a_recipe_reads_back_as_it_was_written(file, chunks):
    recipe = made(file, chunks)
    assert Recipe.decode(recipe.encode()) == recipe


@given(ids, chunk_lists)
def test_a_recipe_cut_short_anywhere_is_refused_or_does_not_add_up(file, chunks):
    encoded = made(file, (*chunks, (file, 7))).encode()
    for at in range(len(encoded)):
        with pytest.raises(IntegrityError):
            Recipe.decode(encoded[:at])


def test_sizes_that_do_not_add_up_are_refused():
    id_ = hash_bytes(b"x")
    with pytest.raises(IntegrityError, match="add up"):
        Recipe.decode(Recipe(id_, 3, ((id_, 2),)).encode())


def test_no_file_has_the_id_of_a_recipe():
    encoded = made(hash_bytes(b"x"), ()).encode()
    assert recipe_id(encoded) != hash_bytes(encoded)
