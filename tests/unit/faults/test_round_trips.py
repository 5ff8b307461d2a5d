"""Answers that wait for other answers: with 100 ms of latency each is a tenth of a second."""

import random
import sys

import pytest

from pivot.paths import RepoPath
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from tests.unit.latency import Far
from tests.unit.team import files_of, put_file, put_tree

DATA = RepoPath("data")
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what threads do is read from /proc, as on Linux"
)


@pytest.fixture
def small(team):
    """A store with a thousand small files, and with a cut listing of them."""
    rnd = random.Random(1)
    store = team.store("here")
    files = {f"{'long' * 10}/{n:04}": rnd.randbytes(200) for n in range(1000)}
    content = put_tree(store, files)
    assert content.recipe is not None
    return store, {DATA: content}, files


def trips(team, action):
    """Round trips and calls of an action that is given a storage far away."""
    with Far(team.storage) as far:
        action(far)
    return far.trips, far.calls


def test_calls_that_wait_for_each_other_are_counted_and_those_that_do_not_are_not(team):
    from concurrent.futures import ThreadPoolExecutor

    team.storage.put("a", b"x")

    def in_turn(far):
        for _ in range(4):
            far.get("a")

    def at_once(far):
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(far.get, ["a"] * 8)) == [b"x"] * 8

    assert trips(team, in_turn) == (4, 4)
    assert trips(team, at_once) == (1, 8)


def test_a_push_of_small_files_is_a_handful_of_round_trips(team, small):
    store, roots, _ = small
    first, _ = trips(team, lambda far: push(store, team.remote("me", far), roots))
    assert first <= 8
    nothing, _ = trips(team, lambda far: push(store, team.remote("me", far), roots))
    assert nothing <= 2
    more = {**roots, RepoPath("new"): put_file(store, b"new")}
    later, _ = trips(team, lambda far: push(store, team.remote("me", far), more))
    assert later <= 5


def test_a_pull_of_small_files_is_a_handful_of_round_trips(team, small):
    store, roots, files = small
    push(store, team.remote("me"), roots)
    there = team.store("there")
    first, _ = trips(team, lambda far: fetch(there, team.remote("there", far), roots))
    assert first <= 6
    assert files_of(there, roots[DATA]) == files


def test_a_pull_after_many_pushes_reads_their_indexes_and_packs_side_by_side(team):
    store = team.store("here")
    roots = {}
    for n in range(14):
        roots[RepoPath(f"d{n}")] = put_tree(store, {"a": b"%d" % n, "b": b"x%d" % n})
        push(store, team.remote("me"), roots)
    there = team.store("there")
    count, calls = trips(team, lambda far: fetch(there, team.remote("there", far), roots))
    assert calls >= 7 + 14, "each index and each pack"
    assert count <= 10
