"""Which commits hold a file as it is."""

import itertools

import pytest

from pivot.git.lineage import Lineages
from pivot.git.repository import WorkPath
from tests.unit.git.conftest import Work


@pytest.fixture
def of(work):
    """The line of a file as it is on disk, newest first."""

    def line(name="a.lock", folder="locks"):
        repository = work.open()
        blob = work.git("hash-object", f"{folder}/{name}").strip()
        return list(Lineages(repository, WorkPath(folder)).of(name, blob))

    return line


def test_it_goes_back_to_the_commit_that_brought_it(work, of):
    work.commit({"locks/a.lock": "0"})
    brought = work.commit({"locks/a.lock": "1"})
    later = work.commit({"locks/b.lock": "2", "source": "3"})
    assert of() == [later, brought]


def test_a_file_that_head_has_not_is_in_no_line(work, of):
    work.commit({"locks/a.lock": "1"})
    work.write("locks/a.lock", "2")
    work.write("locks/new.lock", "2")
    assert of() == []
    assert of("new.lock") == []


def test_a_repository_without_commits_has_no_line(work, of):
    work.write("locks/a.lock", "1")
    assert of() == []


def test_a_version_that_was_there_before_and_came_back_begins_anew(work, of):
    work.commit({"locks/a.lock": "1"})
    work.commit({"locks/a.lock": "2"})
    back = work.commit({"locks/a.lock": "1"})
    assert of() == [back]


def test_of_a_merge_it_follows_the_side_that_had_it(work, of):
    base = work.commit({"locks/a.lock": "0"})
    work.git("checkout", "--quiet", "-b", "side")
    side = work.commit({"locks/a.lock": "1"})
    work.git("checkout", "--quiet", "-b", "trunk", base)
    work.commit({"source": "0"})
    work.git("merge", "--quiet", "-m", "merge", "side")
    merge = work.git("rev-parse", "HEAD").strip()
    assert of() == [merge, side]


def test_names_may_have_folders(work, of):
    brought = work.commit({"locks/deep/er/a.lock": "1"})
    assert of("deep/er/a.lock") == [brought]


def test_a_folder_in_its_place_is_another_thing(work, of):
    work.commit({"locks/a.lock/inner": "1"})
    assert list(Lineages(work.open(), WorkPath("locks")).of("a.lock", "0" * 40)) == []


def test_where_history_was_cut_off_the_line_ends(work, of, tmp_path):
    work.commit({"locks/a.lock": "1"})
    kept = work.commit({"source": "1"})
    work.git("clone", "--quiet", "--depth", "1", f"file://{work.path}", str(tmp_path / "cut"))
    cut = type(work)(tmp_path / "cut")
    blob = cut.git("hash-object", "locks/a.lock").strip()
    lineages = Lineages(cut.open(), WorkPath("locks"))
    assert list(lineages.of("a.lock", blob)) == [kept]
    assert lineages.parents(kept) == ()


# -- versions that HEAD no longer has -----------------------------------------------------------

FOLDER = WorkPath("locks")


@pytest.fixture
def ticking(unborn, monkeypatch):
    """A repository whose every commit is made a minute after the last one."""
    minutes = itertools.count()

    class Ticking(type(unborn)):
        def commit(self, files, message="work"):
            date = f"2026-01-02T03:{next(minutes):02}:00+00:00"
            monkeypatch.setenv("GIT_COMMITTER_DATE", date)
            return super().commit(files, message)

    return Ticking(unborn.path)


def blob(work, revision="HEAD", name="a.lock"):
    return work.git("rev-parse", f"{revision}:locks/{name}").strip()


def test_newest_commit_with_an_older_version_is_where_its_line_begins(ticking):
    first = ticking.commit({"locks/a.lock": "1"})
    held = ticking.commit({"source": "x"})
    old = blob(ticking)
    ticking.commit({"locks/a.lock": "2"})
    ticking.commit({"source": "y"})
    lineages = Lineages(ticking.open(), FOLDER)
    assert lineages.newest({"a.lock": old}) == {"a.lock": held}
    assert lineages.of("a.lock", old, held) == (held, first)
    assert lineages.of("a.lock", old) == ()


def test_what_no_commit_has_is_newest_in_none(ticking):
    ticking.commit({"locks/a.lock": "1"})
    lineages = Lineages(ticking.open(), FOLDER)
    assert lineages.newest({"a.lock": "0" * 40, "b.lock": blob(ticking)}) == {}


def test_branch_without_commits_has_nothing(unborn):
    assert Lineages(unborn.open(), FOLDER).newest({"a.lock": "0" * 40}) == {}


def test_detached_head_is_where_the_search_begins(ticking):
    wrote = ticking.commit({"locks/a.lock": "1"})
    newer = ticking.commit({"locks/a.lock": "2"})
    ticking.git("checkout", "--quiet", "--detach", wrote)
    lineages = Lineages(ticking.open(), FOLDER)
    assert lineages.newest({"a.lock": blob(ticking)}) == {"a.lock": wrote}
    assert lineages.newest({"a.lock": blob(ticking, newer)}) == {}


def test_search_ends_at_its_limit_and_looks_for_all_files_at_once(ticking):
    ticking.commit({"locks/a.lock": "1", "locks/b.lock": "1"})
    old = blob(ticking)
    second = ticking.commit({"locks/a.lock": "2"})
    third = ticking.commit({"locks/a.lock": "3"})
    lineages = Lineages(ticking.open(), FOLDER)
    files = {"a.lock": old, "b.lock": blob(ticking, name="b.lock")}
    assert lineages.newest(files, limit=2) == {"b.lock": third}
    assert lineages.newest(files).keys() == {"a.lock", "b.lock"}
    assert lineages.newest({"a.lock": blob(ticking, second)}, limit=2) == {"a.lock": second}
    assert lineages.newest({"a.lock": blob(ticking, second)}, limit=1) == {}


def test_commit_after_which_history_was_cut_off_is_found(ticking, tmp_path):
    ticking.commit({"locks/a.lock": "1"})
    ticking.commit({"source": "x"})
    last = ticking.commit({"source": "y"})
    path = tmp_path / "cut"
    ticking.git("clone", "--quiet", "--depth", "1", f"file://{ticking.path}", str(path))
    cut = Work(path)
    lineages = Lineages(cut.open(), FOLDER)
    assert lineages.newest({"a.lock": blob(cut)}) == {"a.lock": last}
    assert lineages.of("a.lock", blob(cut), last) == (last,)


@pytest.mark.parametrize("folder", ["code", "code/inner"])
def test_folders_of_commits_are_told_from_files(work, folder):
    commit = work.commit({"code/inner/a.py": "x"})
    repository = work.open()
    assert repository.has_folder(commit, WorkPath(folder))
    assert not repository.has_folder(commit, WorkPath("code/inner/a.py"))
    assert not repository.has_folder(commit, WorkPath("none"))
