"""Two clients that push at once, their calls interleaved in every order up to a bound.

Nobody locks anything: both succeed, everything is there, and at worst some of it twice.
"""

import random
import shutil

import pytest

from pivot.paths import RepoPath
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from tests.unit.closure import closure
from tests.unit.interleaving import play, schedules
from tests.unit.storage import Storage
from tests.unit.team import check_storage, files_of, put_tree

DATA = RepoPath("data")
_RANDOM = random.Random(8)
SHARED = {f"s{n}": _RANDOM.randbytes(50) for n in range(3)}
CASES = {
    "the same": (SHARED, SHARED),
    "overlapping": (SHARED | {"a": b"mine"}, SHARED | {"b": b"yours"}),
    "apart": ({"a": b"mine"}, {"b": b"yours"}),
}


def every_order(team, clients, begin, check, most_switches):
    """Play every schedule from a fresh storage; returns how many there were."""
    played = 0
    trying = schedules(most_switches)
    choices = next(trying)
    while True:
        team.storage = Storage(begin)
        taken, results = play(clients, choices)
        failed = [result for result in results if isinstance(result, BaseException)]
        assert not failed, [turn for turn, _ in taken]
        check(results)
        played += 1
        try:
            choices = trying.send(taken)
        except StopIteration:
            return played


def pushes(team, roots):
    """A push by each of two clients, which have forgotten what they knew of the remote."""

    def make(name):
        def run(in_turn):
            shutil.rmtree(team.folder / name / "remotes", ignore_errors=True)
            remote = team.remote(name, in_turn(team.storage))
            return push(team.store(name), remote, roots[name], jobs=1)

        return run

    return [make("one"), make("two")]


@pytest.mark.parametrize(
    ("case", "begun", "most_switches"),
    [
        ("overlapping", True, 3),
        ("the same", True, 2),
        ("apart", True, 2),
        ("overlapping", False, 2),
        ("the same", False, 2),
    ],
)
def test_two_pushes_in_every_order(team, case, begun, most_switches):
    roots = {
        name: {DATA: put_tree(team.store(name), files)}
        for name, files in zip(("one", "two"), CASES[case], strict=True)
    }
    if begun:
        push(
            team.store("old"), team.remote("old"), {DATA: put_tree(team.store("old"), {"o": b"o"})}
        )
    begin = dict(team.storage.objects)
    needed = {name: closure(team.store(name), roots[name].values()) for name in roots}
    total = 0

    def check(results):
        nonlocal total
        named = check_storage(team.storage)
        assert named >= needed["one"] | needed["two"]
        for (name, ids), result in zip(needed.items(), results, strict=True):
            assert result.total_objects == len(ids), name
        assert sum(result.objects for result in results) >= len(needed["one"] | needed["two"])
        total += 1
        if total % 20 == 1:
            for name, files in zip(("one", "two"), CASES[case], strict=True):
                there = team.store("new")
                fetch(there, team.remote("new"), roots[name])
                assert files_of(there, roots[name][DATA]) == files
                shutil.rmtree(team.folder / "new")

    assert every_order(team, pushes(team, roots), begin, check, most_switches) >= 40
