"""What comes back, and that it is not read again."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.hashing import hash_bytes
from pivot.landing import move_in
from pivot.paths import RepoPath
from tests.unit.checkout.plans import FILES, OUT, no_reading_of


def test_a_directory_comes_back_as_it_was(bench, tree, keep, put, clean):
    tree(FILES)
    (bench.root / "out" / "b" / "c" / "d").chmod(0o755)
    content = keep()
    assert not (bench.root / "out").exists()
    put(content)
    assert bench.look("out") == FILES
    assert os.access(bench.root / "out" / "b" / "c" / "d", os.X_OK)
    assert not os.access(bench.root / "out" / "a", os.X_OK)
    assert bench.workspace.content(OUT) == content
    clean()


names = st.text(st.sampled_from("ab.- é"), min_size=1, max_size=2).filter(
    lambda name: name.strip(".") and name not in (".", "..")
)
trees = st.dictionaries(names, st.binary(max_size=3) | st.none(), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, trees, max_size=3))
def test_any_tree_comes_back_as_it_was(bench, keep, put, folders):
    bench.remove(OUT)
    (bench.root / "out").mkdir()
    expected = {}
    for folder, files in folders.items():
        bench.write({f"out/{folder}": None})
        bench.write({f"out/{folder}/{name}": data for name, data in files.items()})
        expected |= {f"{folder}/{name}": data for name, data in files.items()} or {folder: None}
    content = keep()
    put(content)
    assert bench.look("out") == expected


@pytest.mark.parametrize("data", [b"", b"1", os.urandom((1 << 20) + 1)])
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_file_comes_back_as_it_was(bench, keep, put, data, mode):
    bench.write({"sub/f": data})
    (bench.root / "sub" / "f").chmod(mode)
    path = RepoPath("sub/f")
    content = keep(path)
    put(content, path)
    assert (bench.root / "sub" / "f").read_bytes() == data
    assert os.stat(bench.root / "sub" / "f").st_mode & 0o777 == mode
    assert bench.workspace.content(path) == content


def test_files_and_directories_replace_each_other(bench, keep, put, tree, clean):
    bench.write({"out": b"file"})
    file = keep()
    tree(FILES)
    folder = keep(leave=True)
    put(file)
    assert (bench.root / "out").read_bytes() == b"file"
    put(folder)
    assert bench.look("out") == FILES
    clean()


def test_the_workspace_shares_no_inode_with_the_store(bench, keep, put):
    bench.write({"out": b"data"})
    content = keep()
    put(content)
    assert os.stat(bench.root / "out").st_nlink == 1
    (bench.root / "out").write_bytes(b"EDIT")
    assert bench.store.read(content.id) == b"data"


def test_unchanged_files_of_a_directory_are_neither_written_nor_read_again(
    bench, keep, put, tree, monkeypatch
):
    tree(FILES)
    content = keep(leave=True)
    before = os.stat(bench.root / "out" / "big").st_ino
    (bench.root / "out" / "a").unlink()
    bench.workspace.content(OUT)
    put(content)
    assert bench.look("out") == FILES
    assert os.stat(bench.root / "out" / "big").st_ino == before
    assert os.stat(bench.root / "out" / "big").st_nlink == 1
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of("big"))
    assert bench.workspace.content(OUT) == content


def test_an_edit_right_after_a_checkout_is_seen(bench, keep, put):
    for n in range(10):
        bench.write({"out": b"%d" % n, "dir/f": b"%d" % n})
        file, folder = keep(), keep(RepoPath("dir"))
        put(file)
        put(folder, RepoPath("dir"))
        for path in ("out", "dir/f"):
            (bench.root / path).write_bytes(b"X")
        assert bench.workspace.content(OUT).id == hash_bytes(b"X")
        assert bench.workspace.content(RepoPath("dir/f")).id == hash_bytes(b"X")


def test_what_is_racy_when_it_lands_is_not_remembered(bench, tree, keep, put, monkeypatch):
    """It may be edited from then on, within the tick in which it was written."""
    tree(FILES)
    content = keep()
    bench.workspace.content(OUT)
    bench.state.forget_files([path for path, _, _ in bench.state.files_below("out")])

    def move_slowly(*arguments):
        move_in(*arguments)
        time.sleep(0.02)

    monkeypatch.setattr("pivot.placing.move_in", move_slowly)
    monkeypatch.setattr("pivot.clock.FileClock.is_racy", lambda *_: True)
    put(content)
    assert list(bench.state.files_below("out")) == []
