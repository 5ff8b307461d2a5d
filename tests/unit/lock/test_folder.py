import os

import pytest

from pivot.lock.folder import list_locks, read_lock, write_lock
from pivot.lock.lock import UnreadableLockError
from pivot.paths import StageName


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "stages")


def test_a_written_lock_reads_back_under_its_name(folder, lock):
    data = write_lock(folder, lock)
    assert data == lock.encode()
    assert read_lock(folder, lock.stage) == lock
    assert list_locks(folder) == [lock.stage]


def test_a_stage_without_lock_has_none(folder, lock):
    assert read_lock(folder, StageName("a")) is None
    write_lock(folder, lock)
    assert read_lock(folder, StageName("group")) is None
    assert read_lock(folder, StageName("group/stage/inner")) is None


def test_no_folder_has_no_locks(folder):
    assert list_locks(folder) == []


def test_a_lock_and_a_group_of_the_same_name_live_side_by_side(folder, make_lock):
    for name in ("a", "a/b", "a/b/c"):
        write_lock(folder, make_lock(stage=StageName(name)))
    assert list_locks(folder) == ["a", "a/b", "a/b/c"]


def test_other_files_are_passed_over_what_a_crash_left_among_them(folder, lock):
    write_lock(folder, lock)
    for name in (".pivot-tmp-0123456789abcdef-train.lock", "notes.txt", "a b.lock", ".lock"):
        with open(os.path.join(folder, name), "w") as f:
            f.write("?")
    assert list_locks(folder) == [lock.stage]


def test_a_failed_write_leaves_the_old_lock_and_no_temporary(folder, lock, make_lock, monkeypatch):
    write_lock(folder, lock)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "no space")))
        with pytest.raises(OSError, match="no space"):
            write_lock(folder, make_lock(env={}))
    assert read_lock(folder, lock.stage) == lock
    assert os.listdir(os.path.join(folder, "group")) == ["stage.lock"]


def test_a_folder_in_place_of_a_lock_is_unreadable(folder):
    os.makedirs(os.path.join(folder, "a.lock"))
    with pytest.raises(UnreadableLockError):
        read_lock(folder, StageName("a"))
