import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot_remotes.errors import BadKey
from pivot_remotes.keys import check_key, check_prefix, is_key, temporary_key

PARTS = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", fullmatch=True)
KEYS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


@given(KEYS)
def test_keys_pass_unchanged_and_name_folders(key):
    assert check_key(key) == key
    assert check_prefix(key) == check_prefix(key + "/") == key


@given(KEYS, st.sampled_from(["/", "//", "..", "/..", "/.", " ", "\n", "\0", "é", ":", "*", "\\"]))
def test_anything_else_in_a_key_is_refused(key, odd):
    for text in (odd + "/" + key, key + "/" + odd):
        with pytest.raises(BadKey):
            check_key(text)


@given(st.text(max_size=30))
def test_a_key_never_leaves_the_root(text):
    if is_key(text):
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", text)
        assert not {"", ".", ".."} & set(text.split("/"))


@given(KEYS)
def test_temporaries_stand_beside_their_key_and_are_no_keys(key):
    one, two = temporary_key(key), temporary_key(key)
    assert one != two
    assert one.rpartition("/")[0] == key.rpartition("/")[0]
    assert not is_key(one)


def test_the_root_is_a_prefix():
    assert check_prefix("") == ""
