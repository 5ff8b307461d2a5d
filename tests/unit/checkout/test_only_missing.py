"""Filling in what is missing, and nothing else."""

import errno
import os
import time

import pytest

from pivot.hashing import hash_bytes
from pivot.merging import merge
from pivot.paths import RepoPath
from tests.unit.checkout.plans import FILES, OUT, no_reading_of, plan_only_missing


def test_only_missing_leaves_what_is_there(bench, keep):
    bench.write({"out": b"one"})
    content = keep()
    bench.write({"out": b"edited"})
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)


def test_only_missing_restores_what_is_missing_in_a_directory_and_nothing_else(
    bench, tree, keep, fill_in, clean
):
    tree(FILES)
    (bench.root / "out" / "b" / "c" / "d").chmod(0o755)
    content = keep(leave=True)
    for name in ("a", "b/c/d", "big"):
        (bench.root / "out" / name).unlink()
    (bench.root / "out" / "b" / "c").rmdir()
    (bench.root / "out" / "b" / "empty").rmdir()
    bench.write({"out/a-b": b"edited", "out/mine": b"new"})
    before = os.stat(bench.root / "out" / "nothing").st_ino
    found = plan_only_missing(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({OUT: content}, {}, ())
    fill_in(content)
    assert bench.look("out") == FILES | {"a-b": b"edited", "mine": b"new"}
    assert os.access(bench.root / "out" / "b" / "c" / "d", os.X_OK)
    assert os.stat(bench.root / "out" / "nothing").st_ino == before
    assert os.stat(bench.root / "out" / "big").st_nlink == 1
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)
    clean()


def test_what_was_missing_is_known_and_not_read_again(bench, tree, keep, fill_in, monkeypatch):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    fill_in(content)
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of("big"))
    assert bench.workspace.content(OUT) == content


@pytest.mark.parametrize("way", ["fill", "replace"])
def test_an_edit_that_only_a_ctime_tells_is_not_taken_for_what_was_there(
    bench, tree, keep, fill_in, put, way
):
    tree({"a": b"one", "b": b"two"})
    content = keep(leave=True)
    edited, other = bench.root / "out" / "a", bench.root / "out" / "b"
    known = os.stat(edited)
    time.sleep(0.02)
    with open(edited, "r+b") as f:
        f.write(b"ONE")
    os.utime(edited, ns=(known.st_atime_ns, known.st_mtime_ns))
    other.unlink()
    if way == "fill":
        fill_in(content)
        assert bench.look("out") == {"a": b"ONE", "b": b"two"}
        assert bench.workspace.content(RepoPath("out/a")).id == hash_bytes(b"ONE")
        assert bench.workspace.content(OUT) != content
    else:
        put(content)
        assert bench.look("out") == {"a": b"one", "b": b"two"}
        assert bench.workspace.content(OUT) == content


@pytest.mark.parametrize("way", ["link", "file"])
def test_only_missing_leaves_what_is_in_a_folders_place_alone(
    bench, tree, keep, fill_in, outside, way
):
    tree(FILES)
    content = keep(leave=True)
    bench.remove(RepoPath("out/b"))
    if way == "link":
        (bench.root / "out" / "b").symlink_to(outside)
    else:
        bench.write({"out/b": b"mine"})
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)
    (bench.root / "out" / "a").unlink()
    fill_in(content)
    assert (bench.root / "out" / "a").read_bytes() == FILES["a"]
    assert (bench.root / "out" / "b").is_symlink() is (way == "link")


def test_what_appears_while_the_rest_is_written_is_not_replaced(
    bench, tree, keep, fill_in, monkeypatch
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "a").unlink()

    def merge_late(*arguments):
        bench.write({"out/a": b"mine"})
        merge(*arguments)

    monkeypatch.setattr("pivot.placing.merge", merge_late)
    fill_in(content)
    assert (bench.root / "out" / "a").read_bytes() == b"mine"
    assert bench.workspace.content(OUT) != content


def test_without_hard_links_all_is_written_and_what_is_missing_moved(
    bench, tree, keep, put, fill_in, monkeypatch
):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    fill_in(content)
    assert bench.look("out") == FILES
    (bench.root / "out" / "a").unlink()
    put(content)
    assert bench.look("out") == FILES


def test_a_directory_whose_listing_is_not_here_is_absent_unless_it_is_whole(bench, tree, keep):
    tree(FILES)
    content = bench.workspace.content(OUT)
    assert plan_only_missing(bench, {OUT: content}).unchanged == (OUT,)
    (bench.root / "out" / "a").unlink()
    assert plan_only_missing(bench, {OUT: content}).absent == (OUT,)
