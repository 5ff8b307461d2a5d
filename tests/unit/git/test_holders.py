"""Finding the commit that a file was written with, against what `git log` says."""

import itertools

import pytest

from pivot.git.holders import Holders
from pivot.git.repository import WorkPath
from tests.unit.git.conftest import Work

LOCK = WorkPath("project/stages/train.lock")
OTHER = WorkPath("project/stages/other.lock")


@pytest.fixture
def work(unborn, monkeypatch):
    """A repository whose every commit is made a minute after the last one."""
    minutes = itertools.count()

    class Ticking(type(unborn)):
        def commit(self, files, message="work"):
            date = f"2026-01-02T03:{next(minutes):02}:00+00:00"
            monkeypatch.setenv("GIT_COMMITTER_DATE", date)
            return super().commit(files, message)

    made = Ticking(unborn.path)
    made.commit({"a.txt": "a"})
    return made


def blob(work, path, revision="HEAD"):
    return work.git("rev-parse", f"{revision}:{path}").strip()


def way(work, path, blob_id):
    """From the newest commit that holds a file back to the one that wrote it."""
    holders = Holders(work.open())
    newest = holders.newest({path: blob_id}).get(path)
    return [] if newest is None else list(holders.since(newest, path, blob_id))


def test_way_goes_from_head_to_the_commit_that_wrote_the_file(work):
    work.commit({LOCK: "1"})
    wrote = work.commit({LOCK: "2"})
    later = work.commit({"code.py": "x"})
    last = work.commit({OTHER: "x"})
    assert way(work, LOCK, blob(work, LOCK)) == [last, later, wrote]
    assert wrote == work.git("log", "-1", "--format=%H", "--", LOCK).strip()


def test_older_version_is_found_where_it_was_replaced_last(work):
    first = work.commit({LOCK: "1"})
    held = work.commit({"code.py": "x"})
    old = blob(work, LOCK)
    work.commit({LOCK: "2"})
    work.commit({"code.py": "y"})
    assert way(work, LOCK, old) == [held, first]


def test_version_that_came_back_is_the_newer_one(work):
    work.commit({LOCK: "1"})
    work.commit({LOCK: "2"})
    again = work.commit({LOCK: "1"})
    assert way(work, LOCK, blob(work, LOCK)) == [again]


def test_what_no_commit_has_is_found_in_none(work):
    work.commit({LOCK: "1"})
    assert way(work, LOCK, "0" * 40) == []
    assert way(work, OTHER, blob(work, LOCK)) == []
    assert Holders(work.open()).blob(work.open().head().commit, WorkPath(f"{LOCK}/x")) is None


def test_branch_without_commits_holds_nothing(work):
    work.git("checkout", "--quiet", "--orphan", "empty")
    assert way(work, LOCK, "0" * 40) == []


def test_way_through_a_merge_goes_to_the_side_that_wrote_the_file(work):
    work.commit({LOCK: "1", "code.py": "x"})
    work.git("checkout", "--quiet", "-b", "side")
    wrote = work.commit({LOCK: "2"})
    work.git("checkout", "--quiet", "-")
    work.commit({"code.py": "y"})
    work.git("merge", "--quiet", "--no-commit", "side")
    merge = work.commit({})
    assert len(work.git("show", "-s", "--format=%P").split()) == 2
    assert way(work, LOCK, blob(work, LOCK)) == [merge, wrote]


def test_detached_head_is_where_the_search_begins(work):
    wrote = work.commit({LOCK: "1"})
    work.git("checkout", "--quiet", "--detach")
    assert way(work, LOCK, blob(work, LOCK)) == [wrote]
    newer = work.commit({LOCK: "2"})
    work.git("checkout", "--quiet", wrote)
    assert way(work, LOCK, blob(work, LOCK, newer)) == []


def test_search_ends_at_its_limit_and_looks_for_all_files_at_once(work):
    work.commit({LOCK: "1", OTHER: "1"})
    old = blob(work, LOCK)
    second = work.commit({LOCK: "2"})
    third = work.commit({LOCK: "3"})
    holders = Holders(work.open())
    files = {LOCK: old, OTHER: blob(work, OTHER)}
    assert holders.newest(files, limit=2) == {OTHER: third}
    assert holders.newest(files).keys() == {LOCK, OTHER}
    assert holders.newest({LOCK: blob(work, LOCK, second)}, limit=2) == {LOCK: second}


def test_history_that_was_cut_off_ends_the_way(work, tmp_path):
    work.commit({LOCK: "1"})
    work.commit({"code.py": "x"})
    last = work.commit({"code.py": "y"})
    path = tmp_path / "shallow"
    work.git("clone", "--quiet", "--depth", "1", f"file://{work.path}", str(path))
    shallow = Work(path)
    assert way(shallow, LOCK, blob(shallow, LOCK)) == [last]


@pytest.mark.parametrize("folder", ["code", "code/inner"])
def test_folders_of_commits_are_told_from_files(work, folder):
    commit = work.commit({"code/inner/a.py": "x"})
    repository = work.open()
    assert repository.has_folder(commit, WorkPath(folder))
    assert not repository.has_folder(commit, WorkPath("code/inner/a.py"))
    assert not repository.has_folder(commit, WorkPath("none"))
