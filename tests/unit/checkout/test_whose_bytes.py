"""What is replaced, and what is kept since nobody else has it."""

import os

import pytest

from pivot.checkout import refuse_edited
from pivot.errors import EditedError
from tests.unit.checkout.plans import FILES, OUT, plan


def test_what_is_in_place_is_unchanged(bench, tree, keep):
    tree(FILES)
    content = keep(leave=True)
    assert plan(bench, {OUT: content}).unchanged == (OUT,)


def test_another_held_version_is_replaced_freely(bench, keep):
    bench.write({"out": b"one"})
    one = keep()
    bench.write({"out": b"two"})
    keep(leave=True)
    found = plan(bench, {OUT: one})
    assert (found.place, found.edited) == ({OUT: one}, ())
    refuse_edited(found)


def test_edited_files_are_named_one_by_one_and_kept(bench, tree, keep):
    tree(FILES)
    content = keep(leave=True)
    bench.write({"out/a": b"edited", "out/mine": b"new", "out/b/c/d": b"1"})
    found = plan(bench, {OUT: content})
    assert found.edited == ("out/a", "out/mine")
    with pytest.raises(EditedError, match="out/a, out/mine") as caught:
        refuse_edited(found)
    assert caught.value.hint == "Keep a copy, then run `pivot checkout --force`"


def test_a_directory_that_only_lost_files_is_mended_and_nothing_else_written(
    bench, tree, keep, fill_in
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "a").unlink()
    (bench.root / "out" / "b" / "empty").rmdir()
    found = plan(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({OUT: content}, {}, ())
    before = os.stat(bench.root / "out" / "big")
    fill_in(content)
    assert bench.look("out") == FILES
    assert os.stat(bench.root / "out" / "big") == before
    assert plan(bench, {OUT: content}).unchanged == (OUT,)


@pytest.mark.parametrize("extra", [{"out/a0": b"1"}, {"out/a0": None}, {"out/b/c/d": b"22"}])
def test_a_directory_that_lost_a_file_and_has_another_is_written_anew(
    bench, tree, keep, put, extra
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    bench.write(extra)
    found = plan(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({}, {OUT: content}, ())
    put(content)
    assert bench.look("out") == FILES
