"""Which commits hold a file as it is."""

import pytest

from pivot.git.lineage import Lineages
from pivot.git.repository import WorkPath


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
