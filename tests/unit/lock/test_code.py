"""Hashes that are told apart by their digest."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pivot.hashing import hash_bytes
from pivot.lock.code import CodeHashes, code_digest, code_text

texts = st.text(st.characters(exclude_categories=["Cs"]))
CODE = {"m:f": "a1", "m:g": "b2"}


@given(st.dictionaries(texts, texts))
def test_the_text_says_all_hashes_in_order_one_a_line(code):
    text = code_text(code)
    assert list(json.loads(text).items()) == sorted(code.items())
    assert text.count("\n") == (len(code) + 1 if code else 0)


def test_equal_hashes_have_the_same_digest_whatever_their_order():
    assert code_digest({"m:g": "b2", "m:f": "a1"}) == code_digest(CODE)
    assert CodeHashes.of({"m:g": "b2", "m:f": "a1"}) == CodeHashes.of(CODE)


def test_another_hash_name_or_number_of_them_has_another_digest():
    others = ({"m:f": "a1", "m:g": "b3"}, {"m:f": "a1", "m:h": "b2"}, {"m:f": "a1"}, {})
    assert len({code_digest(code) for code in (CODE, *others)}) == 5
    assert all(CodeHashes.of(code) != CodeHashes.of(CODE) for code in others)


def test_they_are_made_when_they_are_looked_into_and_once():
    made = []
    code = CodeHashes(code_digest(CODE), lambda: made.append(1) or CODE)
    assert (code_digest(code), code == CodeHashes.of(CODE), made) == (code_digest(CODE), True, [])
    assert (code["m:f"], list(code), len(code), made) == ("a1", ["m:f", "m:g"], 2, [1])


def test_they_are_equal_to_plain_ones():
    code = CodeHashes.of(CODE)
    plain = dict(CODE)
    assert code == plain
    assert plain == code
    assert code != CODE | {"m:f": hash_bytes(b"").hex()}
    assert CodeHashes.of(code) is code
