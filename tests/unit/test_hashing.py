import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.hashing import ObjectId, derive, derive_json, hash_bytes, hash_fd


def test_ids_are_those_of_the_specification():
    """The first test vector of BLAKE3: no input."""
    empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert hash_bytes(b"").hex() == empty
    assert str(ObjectId.parse(empty)) == empty


@pytest.mark.parametrize(
    "text",
    ["", "ab" * 31, "ab" * 33, "AB" * 32, "ab" * 31 + "  ", "xy" * 32, "ab" * 31 + "\uff11a"],
)
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match=r"id|hexadecimal"):
        ObjectId.parse(text)


@given(st.binary(max_size=10_000))
def test_an_open_file_has_the_id_of_its_bytes(data):
    read, write = os.pipe()
    with open(write, "wb") as f:
        f.write(data)
    try:
        assert hash_fd(read) == hash_bytes(data)
    finally:
        os.close(read)


def test_contexts_keep_ids_apart():
    ids = {hash_bytes(b"x"), derive("one", b"x"), derive("two", b"x")}
    assert len(ids) == 3


def test_json_is_canonical():
    assert derive_json("c", {"b": 1, "a": [1.5, "é"]}) == derive(
        "c", '{"a":[1.5,"é"],"b":1}'.encode()
    )
    for value in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(ValueError, match=r"JSON compliant|surrogates"):
            derive_json("c", value)
