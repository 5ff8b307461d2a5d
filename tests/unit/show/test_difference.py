"""Unified diffs, against what `diff -u` makes of the same files."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.show.difference import numbered, unified


def test_equal_texts_have_no_diff():
    assert unified(numbered("a\nb\n"), numbered("a\nb\n"), "old", "new") == ()
    assert unified((), (), "old", "new") == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "a\n"),
        ("a\n", ""),
        ("a\n", "b\n"),
        ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nX\ne\nf\n"),
        ("".join(f"{n}\n" for n in range(40)), "".join(f"{n % 30}\n" for n in range(40))),
        ("a\nb\n", "a\nx\nb\n"),
    ],
)
def test_diff_is_what_diff_says(old, new, tmp_path):
    (tmp_path / "old").write_text(old)
    (tmp_path / "new").write_text(new)
    command = ["diff", "-u", "--label", "old", "--label", "new", "old", "new"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert list(unified(numbered(old), numbered(new), "old", "new")) == done.stdout.splitlines()


def test_hunks_of_parts_have_the_numbers_of_the_whole_file():
    old, new = [(10, "def f():"), (11, "    return 1")], [(7, "def f():"), (8, "    return 2")]
    assert unified(old, new, "f.py@1", "f.py") == (
        "--- f.py@1", "+++ f.py", "@@ -10,2 +7,2 @@", " def f():", "-    return 1",
        "+    return 2",
    )  # fmt: skip


texts = st.lists(st.sampled_from(["a", "b", "c"]), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(texts, texts)
def test_both_texts_can_be_read_off_a_diff_with_all_its_context(old, new):
    lines = unified(numbered(old), numbered(new), "old", "new")
    assert (lines == ()) is (old == new)
    changed = [line for line in lines[2:] if not line.startswith("@@")]
    removed = [line[1:] for line in changed if line[0] == "-"]
    added = [line[1:] for line in changed if line[0] == "+"]
    assert len(old.splitlines()) - len(removed) == len(new.splitlines()) - len(added)
