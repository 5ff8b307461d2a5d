"""Holding and replacing Git's index: locks of others, and crashes on the way."""

import subprocess

import pytest

from pivot.errors import LockedError
from pivot.git import index as index_module
from pivot.git.commit import commit_only
from pivot.git.repository import WorkPath


def with_pivot(work, paths):
    return commit_only(work.open(), [WorkPath(path) for path in paths], "locks")


def test_a_held_index_lock_is_named_and_nothing_changes(work, monkeypatch):
    monkeypatch.setattr(index_module, "WAIT_S", 0.05)
    work.write("a.txt", "new\n")
    lock = work.write(".git/index.lock", "")
    with pytest.raises(LockedError) as caught:
        with_pivot(work, ["a.txt"])
    assert str(lock) in caught.value.message
    assert f"rm '{lock}'" in str(caught.value.hint)
    assert lock.exists()
    assert work.git("rev-list", "--count", "HEAD") == "1\n"


def test_a_lock_that_is_released_in_time_is_waited_for(work):
    work.write("a.txt", "new\n")
    lock = work.write(".git/index.lock", "")
    with subprocess.Popen(["sh", "-c", 'sleep 0.1; rm "$0"', str(lock)]):
        assert with_pivot(work, ["a.txt"])


def test_a_held_branch_lock_is_named_and_the_index_stays(work):
    work.write("a.txt", "new\n")
    lock = work.write(".git/refs/heads/main.lock", "")
    before = (work.path / ".git/index").read_bytes()
    with pytest.raises(LockedError) as caught:
        with_pivot(work, ["a.txt"])
    assert str(lock) in caught.value.message
    assert (work.path / ".git/index").read_bytes() == before
    assert not (work.path / ".git/index.lock").exists()


def test_a_crash_before_the_branch_moves_leaves_the_files_staged(work, monkeypatch):
    work.write("a.txt", "new\n")
    publish = index_module.IndexLock.publish

    class Crash(BaseException):
        pass

    def crash(self):
        publish(self)
        raise Crash

    monkeypatch.setattr(index_module.IndexLock, "publish", crash)
    with pytest.raises(Crash):
        with_pivot(work, ["a.txt"])
    assert work.git("status", "--porcelain") == "M  a.txt\n"
    monkeypatch.undo()
    assert with_pivot(work, ["a.txt"])
    assert work.git("status", "--porcelain") == ""


def test_no_temporary_files_are_left_in_the_repository(work):
    before = {entry.name for entry in (work.path / ".git").iterdir()}
    work.write("a.txt", "new\n")
    with_pivot(work, ["a.txt"])
    assert {entry.name for entry in (work.path / ".git").iterdir()} == before
