"""The stat cache against everything that could make it wrong: what is told is what lies there."""

import contextlib
import os
import shutil
import time

import pytest

from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.state import State
from pivot.store.content import ContentType
from pivot.workspace import Workspace

D = RepoPath("d")
F = RepoPath("d/f")
OLD = 1_600_000_000_000_000_001


@pytest.fixture
def settled(bench):
    """Makes a file that is remembered: old by its times, and read a tick after it was made."""

    def make(name="d/f", data=b"one"):
        bench.write({name: data})
        os.utime(bench.root / name, ns=(OLD, OLD))
        time.sleep(0.015)
        bench.workspace.content(RepoPath(name))
        bench.workspace.content(D)
        return bench.root / name

    return make


@pytest.fixture
def seen(bench, tmp_path):
    """What is told of file and folder, which must be what a memory that knows nothing tells."""

    def look():
        with contextlib.closing(State.open(str(tmp_path / "fresh.db"))) as state:
            fresh = Workspace(bench.workspace.root, state)
            for path in (D, F):
                assert bench.workspace.content(path) == fresh.content(path)
        os.unlink(tmp_path / "fresh.db")
        return bench.workspace.content(F)

    return look


def reset(path):
    os.utime(path, ns=(OLD, OLD))


def edit(path):
    path.write_bytes(b"two")


def edit_and_reset(path):
    edit(path)
    reset(path)


def replace(path):
    path.with_name("new").write_bytes(b"two")
    reset(path.with_name("new"))
    os.rename(path.with_name("new"), path)


def edit_through_a_hard_link(path):
    other = path.parent.parent / "other"
    os.link(path, other)
    edit_and_reset(other)


def edit_in_the_future(path):
    edit(path)
    os.utime(path, (4_000_000_000, 4_000_000_000))


def edit_in_place(path):
    with open(path, "r+b") as f:
        f.write(b"two")
    reset(path)


@pytest.mark.parametrize(
    "change",
    [edit, edit_and_reset, replace, edit_through_a_hard_link, edit_in_the_future, edit_in_place],
)
def test_a_change_of_the_same_size_is_seen_whatever_its_times(settled, seen, change):
    path = settled()
    change(path)
    assert seen().id == hash_bytes(b"two")


def test_files_that_trade_places_are_seen(bench, settled, seen):
    path, other = settled(), settled("d/g", b"two")
    os.rename(path, path.with_name("h"))
    os.rename(other, path)
    os.rename(path.with_name("h"), other)
    assert seen().id == hash_bytes(b"two")


def test_chmod_is_seen_and_changes_no_bytes(settled, seen):
    path = settled()
    path.chmod(0o755)
    assert (seen().type, seen().id) == (ContentType.EXECUTABLE, hash_bytes(b"one"))
    path.chmod(0o644)
    assert seen().type is ContentType.FILE


def test_a_file_that_becomes_a_folder_and_a_file_again_is_seen(bench, settled, seen):
    path = settled()
    path.unlink()
    bench.write({"d/f/f": b"one"})
    assert seen().type is ContentType.DIRECTORY
    shutil.rmtree(path)
    assert seen() is None
    settled(data=b"two")
    assert seen().id == hash_bytes(b"two")


def test_a_link_that_leads_elsewhere_is_seen(bench, settled, seen):
    settled("d/a", b"one")
    settled("d/b", b"two")
    (bench.root / "d" / "f").symlink_to("a")
    assert seen().id == hash_bytes(b"one")
    (bench.root / "d" / "f").unlink()
    (bench.root / "d" / "f").symlink_to("b")
    assert seen().id == hash_bytes(b"two")


def test_a_folder_replaced_by_one_like_it_is_seen(bench, settled, seen):
    path = settled("d/sub/g")
    bench.write({"e/g": b"two", "d/f": b""})
    reset(bench.root / "e" / "g")
    shutil.rmtree(path.parent)
    os.rename(bench.root / "e", path.parent)
    seen()


def test_a_racy_file_is_read_again_while_its_folder_is_remembered(bench, settled, seen):
    """Its folder's digest must not vouch for it."""
    settled("d/old")
    for n in range(10):
        bench.write({"d/f": b"%03d" % n})
        bench.workspace.content(D)
        bench.write({"d/f": b"%03d" % (n + 100)})
        assert seen().id == hash_bytes(b"%03d" % (n + 100))


def test_edits_within_one_tick_around_the_read_are_seen(bench, settled, seen, monkeypatch):
    """The clock stands still: what was read while it did must not be remembered."""
    bench.write({"d/f": b"one"})
    at = time.time_ns()
    stat = os.stat(bench.root / "d" / "f")
    monkeypatch.setattr("time.time_ns", lambda: max(at, stat.st_ctime_ns) + 1_000_000)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert bench.workspace.content(F).id == hash_bytes(b"one")
    assert list(bench.state.files_below("d")) == []
    bench.workspace.content(D)
    assert bench.state.directory("d") is None


def test_a_file_with_a_time_in_the_future_is_remembered_and_watched(bench, seen, monkeypatch):
    bench.write({"d/f": b"one"})
    os.utime(bench.root / "d" / "f", (4_000_000_000, 4_000_000_000.5))
    time.sleep(0.015)
    bench.workspace.content(D)
    assert [path for path, _, _ in bench.state.files_below("d")] == ["d/f"]
    edit(bench.root / "d" / "f")
    os.utime(bench.root / "d" / "f", (4_000_000_000, 4_000_000_000.5))
    assert seen().id == hash_bytes(b"two")


@pytest.mark.parametrize("way", [os.rename, shutil.copytree])
def test_a_project_that_moved_or_was_copied_is_told_as_it_is(bench, settled, seen, way, tmp_path):
    """A copy brings the database, its times and sizes; a moved project keeps what it knew."""
    settled()
    bench.state.commit()
    new = tmp_path / "moved"
    way(bench.root, new)
    (new / "d" / "f").write_bytes(b"two")
    reset(new / "d" / "f")
    state = State.open(str(new / ".pivot" / "state.db"))
    assert Workspace(str(new), state).content(F).id == hash_bytes(b"two")
    state.close()


def test_a_clock_set_back_between_recording_and_an_edit_is_noticed(
    bench, settled, monkeypatch, tmp_path
):
    """The edit gets the very times that were recorded; only the clock can tell."""
    settled()
    bench.state.close()
    path = os.path.join(bench.workspace.root, ".pivot", "state.db")
    real = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() - 3600 * 10**9)
    bench.state = State.open(path)
    assert list(bench.state.files_below("d")) == []
    assert bench.state.directory("d") is None
