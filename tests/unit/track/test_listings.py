"""Which names in a folder count: those that are the same before and after all stages ran."""

import os

import pytest

from pivot.lock.observed import names_hash
from pivot.paths import RepoPath
from pivot.track.listings import Listings

DATA = RepoPath("data")


@pytest.fixture
def listings(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").touch()

    def make(outs=(), tracked=(), **kept):
        as_paths = lambda paths: lambda: map(RepoPath, paths)  # noqa: E731
        return Listings(str(tmp_path), as_paths(outs), as_paths(tracked), **kept)

    return make


def test_hidden_names_caches_and_pvt_files_are_left_out(listings, tmp_path):
    before = listings().digest(DATA)
    for name in (".hidden", "__pycache__", "a.csv.pvt"):
        (tmp_path / "data" / name).touch()
    assert listings().digest(DATA) == before == names_hash(["a.csv"])
    (tmp_path / "data/b.csv").touch()
    assert listings().digest(DATA) == names_hash(["b.csv", "a.csv"])


def test_results_and_folders_around_them_are_left_out(listings, tmp_path):
    for name in ("made.csv", "inner/deep.csv"):
        (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / name).touch()
    found = listings(["data/made.csv", "data/inner/deep.csv", "elsewhere/a.csv"])
    assert found.names(DATA) == ["a.csv"]
    assert found.names(RepoPath.ROOT) == []
    assert found.names(RepoPath("data/inner")) == []


def test_tracked_names_count_as_there(listings):
    found = listings(["data/raw/made.csv"], ["data/raw/one.csv", "other"])
    assert found.names(DATA) == ["a.csv", "raw"]
    assert found.names(RepoPath("data/raw")) == ["one.csv"]
    assert found.names(RepoPath.ROOT) == ["data", "other"]


def test_a_folder_that_is_not_there_is_told_from_an_empty_one(listings, tmp_path):
    (tmp_path / "empty").mkdir()
    gone, empty = (listings().digest(RepoPath(name)) for name in ("gone", "empty"))
    assert gone is None
    assert empty == names_hash(())
    assert listings().digest(RepoPath("data/a.csv")) is None


def test_a_folder_that_is_there_for_results_alone_is_an_empty_one_without_them(listings):
    assert listings(["made/x"]).digest(RepoPath("made")) == names_hash(())


def test_names_that_are_no_text_count(listings, tmp_path):
    os.close(os.open(os.fsencode(tmp_path / "data") + b"/\xff", os.O_CREAT))
    assert listings().digest(DATA) == names_hash(["\udcff", "a.csv"])


def test_names_of_what_should_be_there_are_asked_for(listings):
    kept = {RepoPath("raw/x"): [".hidden", "b", "a"]}.get
    found = listings(tracked=["raw"], kept=kept)
    assert found.digest(RepoPath("raw/x")) == names_hash(["a", "b"])
    assert found.digest(RepoPath("raw/y")) is None


def test_names_are_told_apart_however_they_are_cut():
    hashes = {names_hash(names) for names in ((), ["ab"], ["a", "b"], ["a", "b", "c"])}
    assert len(hashes) == 4
