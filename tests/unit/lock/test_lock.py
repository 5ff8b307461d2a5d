import json
import re
import subprocess
from dataclasses import replace

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.hashing import derive, hash_bytes
from pivot.lock.code import CodeHashes, code_digest
from pivot.lock.lock import CHECK_CONTEXT, NewerLockError, UnreadableLockError, decode
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def sealed(text):
    """A lock edited by someone who knows how to make its check line."""
    above = text.encode().rstrip(b"\n").rpartition(b"\n")[0] + b"\n"
    return above + f'  "check": "{derive(CHECK_CONTEXT, above).hex()}"}}\n'.encode()


def changed(lock, old, new):
    text = lock.encode().decode()
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


# -- canonical ------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none() | st.dictionaries(names, values, max_size=4), st.dictionaries(names, names))
def test_any_params_and_symbols_read_back(make_lock, params, code):
    lock = make_lock(params=params, code=code)
    assert decode(lock.encode(), "x") == lock
    assert decode(lock.encode(), "x").encode() == lock.encode()


def test_dict_order_makes_no_difference(make_lock):
    one = make_lock(params={"a": {"x": 1, "y": 2}, "b": 1}, code={"m:f": "1", "m:g": "2"})
    two = make_lock(params={"b": 1, "a": {"y": 2, "x": 1}}, code={"m:g": "2", "m:f": "1"})
    assert one.encode() == two.encode()
    assert one.key == two.key


def test_the_order_of_previous_outs_makes_no_difference(make_lock):
    one, two = (Content(ContentType.FILE, hash_bytes(t), 1) for t in (b"1", b"2"))
    paths = RepoPath("b"), RepoPath("a")
    first = make_lock(previous=dict(zip(paths, (one, two), strict=True)))
    second = make_lock(previous=dict(zip(reversed(paths), (two, one), strict=True)))
    assert first.encode() == second.encode()
    assert decode(first.encode(), "x").previous == first.previous


def test_names_are_sorted_by_code_point_not_by_utf_16(make_lock):
    text = make_lock(params={"\U0001d11e": 1, "\uffff": 2, "a": 3, "Z": 4}).encode().decode()
    assert text.index('"Z"') < text.index('"a"') < text.index('"\uffff"') < text.index("\U0001d11e")


def test_numbers_of_different_kinds_differ(make_lock):
    keys = {make_lock(params={"a": value}).key for value in (1, 1.0, "1", True, [1], None)}
    assert len(keys) == 6
    assert '"a": 0.1\n' in make_lock(params={"a": 0.1}).encode().decode()


def test_it_names_no_time_host_or_absolute_path(lock, tmp_path):
    text = lock.encode().decode()
    assert str(tmp_path) not in text
    assert '"/' not in text


# -- the key --------------------------------------------------------------------------------


def test_the_key_can_be_made_from_the_file_alone_by_other_code(make_lock):
    """As docs/format.md says it, without Pivot."""
    data = make_lock(params={"é": [1.0, {"z": 1, "a": None}]}).encode()
    fields = json.loads(data)

    def compact(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    names = ("scheme", "packages", "params", "env", "cwd")
    static = {name: fields[name] for name in names}
    code = re.search(rb'\n  "code": (\{.*?\n  \}),\n', data, re.DOTALL)[1]
    static["code"] = blake3(code, derive_key_context="pivot code 1").hexdigest()
    static["deps"] = [row["path"] for row in fields["deps"]]
    static["outs"] = [[row["path"], row["kind"]] for row in fields["outs"]]
    static_key = blake3(compact(static), derive_key_context="pivot static key 1").hexdigest()
    rows = [[row["path"], row["type"], row["id"]] for row in fields["deps"]]
    key = blake3(compact([static_key, rows]), derive_key_context="pivot key 1").hexdigest()
    assert key == fields["key"]


def test_the_check_line_can_be_made_from_the_file_alone_by_other_code(lock):
    above, _, last = lock.encode().removesuffix(b"\n").rpartition(b"\n")
    check = blake3(above + b"\n", derive_key_context="pivot lock check 1").hexdigest()
    assert last.decode() == f'  "check": "{check}"}}'


def test_name_and_place_are_not_part_of_the_key(lock, make_lock):
    assert make_lock(stage="other").key == lock.key


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": 2},
        {"code": {"m:f": "a1"}},
        {"packages": {}},
        {"params": None},
        {"params": {}},
        {"env": {}},
        {"cwd": RepoPath(".")},
        {"version": 1},
        {
            "outs": (
                OutSpec(RepoPath("m.json"), OutKind.PLOT),
                OutSpec(RepoPath("out"), OutKind.OUT),
            )
        },
    ],
)
def test_whatever_is_declared_is_part_of_the_key(lock, make_lock, change):
    assert make_lock(**change).key != lock.key


def test_versions_of_different_kinds_differ_and_none_is_no_field(make_lock):
    assert make_lock(version=1).key != make_lock(version="1").key
    assert b'"version"' not in make_lock().encode()
    for version in (1, "1", "", 0):
        again = make_lock(version=version)
        assert decode(again.encode(), "x.lock") == again


def test_how_it_came_about_is_not_part_of_the_key(lock):
    said = replace(lock, extra=("./q.sql", "m:f"), recorded=True)
    assert said.key == lock.key
    assert decode(said.encode(), "x.lock") == said


def test_only_outs_that_are_functions_of_the_key_make_an_action(make_lock):
    spec = OutSpec(RepoPath("out"), OutKind.INCREMENTAL)
    assert make_lock().is_action
    assert not make_lock(outs=(spec,)).is_action
    assert not make_lock(outs=()).is_action


# -- unreadable -----------------------------------------------------------------------------


@pytest.fixture(params=["read in full", "with known code"])
def known(lock, request):
    """What `decode` is told of the code: nothing, or what the lock has before it is damaged."""
    return None if request.param == "read in full" else CodeHashes.of(lock.declared.code)


def test_every_flipped_byte_is_detected(lock, known):
    data = bytearray(lock.encode())
    for at in range(len(data)):
        for bit in (0x01, 0x20, 0x80):
            data[at] ^= bit
            with pytest.raises(UnreadableLockError):
                decode(bytes(data), "x.lock", known)
            data[at] ^= bit


def test_every_truncation_is_detected(lock, known):
    data = lock.encode()
    for end in range(len(data)):
        with pytest.raises(UnreadableLockError):
            decode(data[:end], "x.lock", known)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b"\x00\xff" * 50,
        b"\xff\xfe{\x00}\x00",
        b"[" * 200_000,
        b'{"format": 1}',
        b"{" + b" " * 1000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(UnreadableLockError):
        decode(data, "x.lock")


@pytest.mark.parametrize("suffix", [b"\n", b" ", b"\r\n", b"x"])
def test_bytes_after_the_end_are_refused(lock, suffix):
    with pytest.raises(UnreadableLockError):
        decode(lock.encode() + suffix, "x.lock")


def test_other_line_ends_or_a_byte_order_mark_are_refused(lock):
    for data in (lock.encode().replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + lock.encode()):
        with pytest.raises(UnreadableLockError):
            decode(data, "x.lock")


def test_conflict_markers_are_named_with_what_to_do(lock):
    data = lock.encode().replace(b'  "code"', b'<<<<<<< ours\n  "code"', 1)
    with pytest.raises(UnreadableLockError, match="conflict markers") as caught:
        decode(data, ".pivot/stages/x.lock")
    assert caught.value.hint == (
        "Take back a committed version with `git checkout HEAD -- .pivot/stages/x.lock`"
    )


def test_a_newer_format_is_told_apart_even_if_all_else_is_unknown(lock):
    for data in (b'{"format": 2, "new": []}', sealed(changed(lock, '"format": 1', '"format": 9'))):
        with pytest.raises(NewerLockError) as caught:
            decode(data, "x.lock")
        assert caught.value.hint == "Upgrade with `pip install --upgrade pivot`"


HEX = '"' + hash_bytes(b"x").hex() + '"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format": 1', '"format": true'),
        ('"format": 1', '"format": "1"'),
        ('"format": 1', '"format": 0'),
        ('"format": 1', '"format": 1.0'),
        ('"scheme": 1', '"scheme": "1"'),
        ('"m:f": "a1"', '"m:f": 1'),
        ('"m:f": "a1"', '"m:f": "a2"'),  # sealed again, but its key wasn't
        ('"a": 1', '"a": NaN'),
        ('"a": 1', '"a": 1e999'),
        ('"a": 1', '"a": "\\ud800"'),
        ('"path": "out"', '"path": "../out"'),
        ('"path": "out"', '"path": "/etc/passwd"'),
        ('"path": "out"', '"path": ".git/config"'),
        ('"path": "out"', '"path": "m.json"'),
        ('"path": "out"', '"path": 7'),
        ('"kind": "out"', '"kind": "unknown"'),
        ('"type": "d"', '"type": "l"'),
        (HEX, HEX.upper()),
        (HEX, '"abc"'),
        ('"size": 1}', '"size": "1"}'),
        ('"size": 1}', '"size": 1.5}'),
        ('"size": 1}', '"size": -1}'),
        ('"stage": "group/stage"', '"stage": "../stage"'),
        ('"cwd": "sub"', '"cwd": "/"'),
        ('"secrets": ["token"]', '"secrets": {}'),
        ('"outs": [', '"outs": [7,'),
        ('"outs": [', '"outs": {"a": [], "b": ['),
        ('"env": {', '"env": [], "x": {'),
        ('"observed": {"code": {}', '"observed": {"code": []'),
        ('  "cwd": "sub",\n', ""),
        ('  "cwd": "sub",\n', '  "cwd": "sub",\n  "code": {},\n'),
        ('  "code": {', '  "x": {"y": 1,\n  "code": {'),
        ('  "params": {', '  "x": "\n  ",\n  "params": {'),
        ('"params": {', '"params": [], "x": {'),
        ('"scheme": 1', '"scheme": 1, "version": null'),
        ('"scheme": 1', '"scheme": 1, "version": true'),
        ('"scheme": 1', '"scheme": 1, "version": 1.5'),
        ('"scheme": 1', '"scheme": 1, "version": 1'),  # sealed again, but its key wasn't
        ('"scheme": 1', '"scheme": 1, "extra": "m:f"'),
        ('"scheme": 1', '"scheme": 1, "recorded": false'),
        ('"scheme": 1', '"scheme": 1, "recorded": 1'),
    ],
)
def test_a_field_that_cannot_be_is_refused_whoever_made_the_check_line(lock, known, old, new):
    with pytest.raises(UnreadableLockError):
        decode(sealed(changed(lock, old, new)), "x.lock", known)


def test_sealing_alone_changes_nothing(lock):
    assert sealed(lock.encode().decode()) == lock.encode()


# -- code that is known ---------------------------------------------------------------------


def outcome(data, known=None):
    """What a lock says, or why it says nothing."""
    try:
        return decode(data, "x.lock", known)
    except UnreadableLockError as error:
        return type(error), error.message, error.why, error.hint


def unread(lock):
    """The code of a lock, of which nobody may ask more than the digest."""
    return CodeHashes(code_digest(lock.declared.code), lambda: pytest.fail("it was read"))


def test_code_that_is_known_is_not_read_again(lock):
    known = unread(lock)
    found = decode(lock.encode(), "x.lock", known)
    assert found.declared.code is known
    assert found.key == lock.key
    assert replace(found, declared=lock.declared) == lock


def test_a_lock_without_code_is_not_read_for_it_either(make_lock):
    lock = make_lock(code={})
    assert decode(lock.encode(), "x.lock", unread(lock)).key == lock.key


def test_other_code_than_the_known_is_read(lock, make_lock):
    found = decode(lock.encode(), "x.lock", unread(make_lock(code={"m:f": "a2"})))
    assert found == lock
    assert found.declared.code == {"m:f": "a1", "m:g": "b2"}


edits = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.integers(0, 3),
        st.sampled_from(
            ['"', ",", "\n", "{", "}", '  "code": {', '\n  "code": {},', "\n  }", "", "é"]
        ),
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits)
def test_whatever_is_done_to_a_lock_it_says_the_same_where_its_code_is_known(lock, edits):
    text = lock.encode().decode()
    for at, removed, added in edits:
        text = text[:at] + added + text[at + removed :]
    data = sealed(text)
    assert outcome(data, CodeHashes.of(lock.declared.code)) == outcome(data)


# -- merging as text ------------------------------------------------------------------------


def test_two_changed_locks_conflict_in_a_text_merge(make_lock, tmp_path):
    """Changes of distant lines would merge cleanly, into a lock of a run that never was."""
    base = make_lock()
    ours = make_lock(code={"m:f": "ff", "m:g": "b2"})
    theirs = make_lock(contents={**base.outs, RepoPath("out"): base.deps[RepoPath("data")]},
                       env={"LANG": "de"})  # fmt: skip
    files = []
    for name, lock in (("ours", ours), ("base", base), ("theirs", theirs)):
        path = tmp_path / name
        path.write_bytes(lock.encode())
        files.append(str(path))
    merged = subprocess.run(["git", "merge-file", "-p", *files], capture_output=True)
    assert merged.returncode > 0
    with pytest.raises(UnreadableLockError, match="conflict markers"):
        decode(merged.stdout, "x.lock")


def test_either_side_of_a_conflict_taken_blindly_is_refused(make_lock, tmp_path):
    base, ours, theirs = make_lock(), make_lock(env={}), make_lock(code={"m:f": "ff"})
    files = []
    for name, lock in (("ours", ours), ("base", base), ("theirs", theirs)):
        (tmp_path / name).write_bytes(lock.encode())
        files.append(str(tmp_path / name))
    for side in ("--ours", "--theirs", "--union"):
        merged = subprocess.run(["git", "merge-file", "-p", side, *files], capture_output=True)
        with pytest.raises(UnreadableLockError):
            decode(merged.stdout, "x.lock")
