"""Pushing and fetching what other revisions name, without a checkout."""

import json
import shutil

import pytest

from pivot.store.store import Store


@pytest.fixture
def branches(team):
    """`main` with the first results, `side` with others; nothing of `side` was pushed."""
    team.commit_all()
    team.git("switch", "-qc", "side")
    team.write("a.txt", "5\n")
    team.pivot("repro")
    team.commit_all()
    team.git("switch", "-q", "main")
    team.pivot("checkout")
    return team


def objects(done):
    (value,) = done.lines
    return value["objects"], value["total_objects"]


def test_revision_is_pushed_and_fetched_without_a_checkout(branches, clone):
    head = branches.git("rev-parse", "HEAD")
    before = branches.read("a.txt"), branches.read("out/doubled.txt")
    assert objects(branches.pivot("push", "--yes", "--rev", "side", "--json")) == (2, 203)
    assert objects(branches.pivot("push", "--rev", "side", "--json")) == (0, 203)
    assert branches.git("rev-parse", "HEAD") == head
    assert (branches.read("a.txt"), branches.read("out/doubled.txt")) == before
    fresh = clone()
    assert objects(fresh.pivot("fetch", "--rev", "origin/side", "double", "--json")) == (1, 1)
    fresh.git("switch", "-q", "side")
    fresh.pivot("checkout", "double")
    assert fresh.read("out/doubled.txt") == "10\n"


def test_range_and_all_branches_send_what_their_commits_name(branches, tmp_path):
    branches.pivot("remote", "add", "new", "../new")
    assert objects(branches.pivot("push", "-r", "new", "--rev", "main..side", "-n", "--json")) == (
        203,
        203,
    )
    done = branches.pivot("push", "-r", "new", "--all-branches", "--json")
    assert objects(done) == (205, 205)
    assert objects(branches.pivot("push", "-r", "new", "--json")) == (0, 203)


def test_data_that_is_nowhere_is_named_with_its_revision(branches, tmp_path):
    """For one revision nothing is sent; of all branches the rest is."""
    branches.pivot("remote", "add", "new", "../new")
    shutil.rmtree(branches.path / ".pivot/cache")
    branches.pivot("pull", "--yes", "-r", "storage", "--force")
    done = branches.pivot("push", "-r", "new", "--rev", "main", "--rev", "side", code=14)
    assert "out/doubled.txt@side" in done.err
    assert not list((tmp_path / "new").rglob("*.pack"))
    done = branches.pivot("push", "-r", "new", "--all-branches", code=3)
    assert "warning: the data of out/doubled.txt@side is neither in the cache nor in " in done.err
    assert "total.json@side" in done.err
    assert "@main" not in done.err
    assert done.out.startswith("Pushed 203 of 203 objects to ")
    with Store.open(str(tmp_path / "new")).in_use():
        assert list((tmp_path / "new/packs").rglob("*.pack"))


def test_fetch_of_all_branches_brings_what_there_is(branches, clone):
    fresh = clone()
    done = fresh.pivot("fetch", "--all-branches", code=3)
    assert "@origin/side" in done.err
    fresh.pivot("checkout")
    assert fresh.read("out/doubled.txt") == "6\n"
    done = fresh.pivot("fetch", "--rev", "origin/side", "--json", code=14)
    assert json.loads(done.out)["code"] == "missing"


def test_outside_of_git_there_are_no_revisions(branches):
    shutil.rmtree(branches.path / ".git")
    done = branches.pivot("push", "--rev", "main", code=10)
    assert "no Git repository" in done.err
