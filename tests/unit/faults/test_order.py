"""The order in which a push makes things visible, looked at after each change of the storage.

Nothing that refers is visible before what it refers to, no index before its packs, and what was
visible once stays so, also while indexes are merged.
"""

import random
import threading

import pytest

from pivot.paths import RepoPath
from pivot.sync.push import push
from pivot.transfer import push as sending
from pivot_remotes.faulty import Faulty, Method
from tests.unit.closure import closure
from tests.unit.team import check_storage, put_file, put_tree

DATA = RepoPath("data")
MODEL = RepoPath("model.bin")
CHANGES = {Method.PUT, Method.PUT_FILE, Method.DELETE, Method.DELETE_ALL}


class Watched(Faulty):
    """Looks at the storage before and after each change; notes what is visible by then."""

    def __init__(self, storage):
        super().__init__(storage, self._look)
        self._storage = storage
        self._looking = threading.Lock()
        self.visible = [check_storage(storage)]

    def _look(self, call):
        if call.method in CHANGES:
            self.look()

    def look(self):
        with self._looking:
            found = check_storage(self._storage)
            assert found >= self.visible[-1], "something disappeared"
            self.visible.append(found)


@pytest.fixture
def many_packs(monkeypatch):
    """Packs so small, and so few to an index, that a push needs several indexes."""
    make_packs = sending.make_packs
    monkeypatch.setattr(sending, "FAN_IN", 2)
    monkeypatch.setattr(
        sending, "make_packs", lambda *args, **_: make_packs(*args, pack_size=60_000)
    )


def nested(store, seed):
    """A directory whose listing is cut and that has a cut file, and a file that is cut alone."""
    rnd = random.Random(seed)
    files = {f"{'long' * 30}/{n:04}": rnd.randbytes(40) for n in range(500)}
    files["cut"] = rnd.randbytes(1_100_000)
    roots = {DATA: put_tree(store, files), MODEL: put_file(store, rnd.randbytes(1_200_000))}
    assert all(content.recipe is not None for content in roots.values())
    return roots


@pytest.mark.parametrize("jobs", [1, 8])
def test_nothing_that_refers_is_visible_before_what_it_refers_to(team, many_packs, jobs):
    store = team.store("here")
    roots = nested(store, 1)
    watched = Watched(team.storage)
    push(store, team.remote("me", watched), roots, jobs=jobs)
    watched.look()
    assert watched.visible[-1] == closure(store, roots.values())
    assert len(set(watched.visible)) > 4, "several indexes were written"
    heads = {content.recipe for content in roots.values()}
    partial = [seen for seen in watched.visible if seen and not seen & heads]
    assert partial, "leaves came before what names them"


def test_merging_hides_nothing_at_any_moment(team):
    """Forty pushes merge five times; a reader that lists in between sees all that was there."""
    store = team.store("here")
    watched = Watched(team.storage)
    remote = team.remote("me", watched)
    wanted = set()
    for n in range(40):
        roots = {DATA: put_tree(store, {"a": b"%d" % n, "b": b"%d" % (n // 2)})}
        wanted |= closure(store, roots.values())
        push(store, remote, roots)
    watched.look()
    assert watched.visible[-1] == wanted
    assert sum(call.method is Method.DELETE_ALL for call in watched.calls) == 5


def test_a_push_to_a_remote_that_has_a_part_keeps_the_order(team, many_packs):
    other, store = team.store("other"), team.store("here")
    roots = nested(store, 2)
    rnd = random.Random(2)
    part = {f"{'long' * 30}/{n:04}": rnd.randbytes(40) for n in range(300)}
    push(other, team.remote("other"), {DATA: put_tree(other, part)})
    watched = Watched(team.storage)
    done = push(store, team.remote("me", watched), roots)
    watched.look()
    assert done.objects < done.total_objects
    assert watched.visible[-1] >= closure(store, roots.values())
