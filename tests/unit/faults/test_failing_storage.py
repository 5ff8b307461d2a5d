"""A storage that fails at each call in turn, in each way: nothing wrong is visible, ever.

Afterwards the next command goes on, and a newcomer gets everything.
"""

import itertools
import random
import shutil

import pytest

from pivot.errors import IntegrityError, PivotError
from pivot.paths import RepoPath
from pivot.sync.fetch import fetch, plan_fetch
from pivot.sync.foreseeing import foresee_push
from pivot.sync.push import push
from pivot.transfer import ranges
from pivot_remotes.faulty import READS, Chance, Fault, Faulty, Method, Nth, is_possible
from pivot_remotes.lagging import Lagging
from pivot_remotes.retrying import Clock, Patience, Retrying
from tests.unit.closure import closure
from tests.unit.storage import Storage
from tests.unit.team import check_storage, check_store, files_of, put_file, put_tree

DATA = RepoPath("data")
OTHER = RepoPath("other")
# What goes away when it is tried again, as `Retrying` does.
PASSING = (
    Fault.REFUSED,
    Fault.TIMED_OUT,
    Fault.INTERNAL_ERROR,
    Fault.SLOW_DOWN,
    Fault.TOO_MANY,
    Fault.RESET,
    Fault.LOST_ANSWER,
    Fault.HALF_DELETED,
)
_RANDOM = random.Random(11)
FILES = {
    "a": b"some text " * 30,
    "b/c": _RANDOM.randbytes(200),
    "cut": _RANDOM.randbytes(1_060_000),
}
MORE = FILES | {"b/d": b"another one", "late": _RANDOM.randbytes(90)}


@pytest.fixture
def here(team):
    """The store that has everything, and what it has of it."""
    store = team.store("here")
    return store, {DATA: put_tree(store, FILES), OTHER: put_tree(store, MORE)}


def timeless(waited=None):
    """A clock that only waiting moves, so that no test waits."""
    waits = [] if waited is None else waited
    return Clock(now=lambda: sum(waits), sleep=waits.append, chance=lambda: 0.5)


def retrying(backend, waited=None):
    return Retrying(backend, Patience(), timeless(waited))


def outcome(action):
    """The error of an action, which must be one that a user can read; None where it succeeded."""
    found = None
    try:
        action()
    except PivotError as error:
        found = error
    if found is not None:
        assert found.message
        assert found.hint, found
    return found


def calls_of(action, storage):
    """The calls that an action makes to a storage, when nothing fails."""
    faulty = Faulty(storage, lambda call: None)
    action(faulty)
    return faulty.calls


def check_newcomer(team, roots, name):
    """A fresh client gets all of it and may restore it."""
    there = team.store(name)
    fetch(there, team.remote(name), roots)
    check_store(team.store(name))
    assert files_of(there, roots[DATA]) == FILES
    if OTHER in roots:
        assert files_of(there, roots[OTHER]) == MORE
    shutil.rmtree(team.folder / name)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("pushes", [0, 1, 7], ids=["new", "known", "merging"])
def test_a_push_hurt_at_any_call_shows_nothing_wrong_and_goes_on(team, here, fault, pushes):
    """After seven others a push merges eight indexes, which may fail without harm."""
    store, roots = here
    for n in range(1, pushes):
        push(store, team.remote("begun"), {OTHER: put_file(store, b"%d" % n)})
    if pushes:
        push(store, team.remote("begun"), {DATA: roots[DATA]})
    before = dict(team.storage.objects)

    def run(backend, name="count"):
        return push(store, team.remote(name, backend), roots)

    calls = calls_of(run, Storage(before))
    total = len(calls)
    assert total >= 4
    assert (calls[-1].method is Method.DELETE_ALL) == (pushes == 7), "the merge comes last"
    merging = {total - 2, total - 1} if pushes == 7 else set()
    for n in range(total):
        team.storage = Storage(before)
        shutil.rmtree(team.folder / "me", ignore_errors=True)
        faulty = Faulty(team.storage, Nth(n, fault))
        error = outcome(lambda faulty=faulty: run(faulty, "me"))
        hurt = faulty.calls[n].method
        if fault in (*PASSING, Fault.EXPIRED) and is_possible(fault, hurt) and n not in merging:
            assert error is not None, (n, hurt)
        visible = check_storage(team.storage)
        again = run(None, "me")
        assert again.objects <= again.total_objects - len(visible & closure(store, roots.values()))
        assert check_storage(team.storage) >= closure(store, roots.values())
        if n % 4 == 0:
            check_newcomer(team, roots, "new")
    check_store(store)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("by", ["packs", "ranges"])
def test_a_fetch_hurt_at_any_call_keeps_nothing_wrong_and_goes_on(
    team, here, fault, by, monkeypatch
):
    if by == "ranges":
        monkeypatch.setattr(ranges, "SMALL_PACK", 0)
        monkeypatch.setattr(ranges, "REQUEST", 0)
    store, roots = here
    push(store, team.remote("me"), {DATA: roots[DATA]})
    push(store, team.remote("me"), roots)

    def run(backend, name):
        return fetch(team.store(name), team.remote(name, backend), roots)

    total = len(calls_of(lambda backend: run(backend, "count"), team.storage))
    assert total >= 5
    for n in range(total):
        faulty = Faulty(team.storage, Nth(n, fault))
        error = outcome(lambda faulty=faulty, n=n: run(faulty, f"{n}"))
        check_store(team.store(f"{n}"))
        hurt = faulty.calls[n].method if n < len(faulty.calls) else None
        if hurt is not None and fault in (*PASSING, Fault.EXPIRED) and is_possible(fault, hurt):
            assert error is not None, (n, hurt)
        if error is None:
            assert files_of(team.store(f"{n}"), roots[OTHER]) == MORE
        had = sum(team.store(f"{n}").has(id_) for id_ in closure(store, roots.values()))
        again = run(None, f"{n}")
        assert again.objects == again.total_objects - had, "what was kept isn't fetched again"
        check_store(team.store(f"{n}"))
        assert files_of(team.store(f"{n}"), roots[DATA]) == FILES
        assert files_of(team.store(f"{n}"), roots[OTHER]) == MORE
        shutil.rmtree(team.folder / f"{n}")


@pytest.mark.parametrize("fault", [fault for fault in PASSING if fault is not Fault.HALF_DELETED])
def test_with_patience_a_passing_fault_at_any_call_is_not_noticed(team, here, fault):
    store, roots = here

    def send(backend, name="count"):
        return push(store, team.remote(name, backend), roots)

    total = len(calls_of(send, Storage()))
    for n in range(total):
        team.storage = Storage()
        faulty, waited = Faulty(team.storage, Nth(n, fault)), []
        done = send(retrying(faulty, waited), f"s{n}")
        assert done.objects == done.total_objects
        assert len(waited) == 1
        assert check_storage(team.storage) >= closure(store, roots.values())
    calls = calls_of(lambda b: fetch(team.store("c"), team.remote("c", b), roots), team.storage)
    for n in range(len(calls)):
        faulty, waited = Faulty(team.storage, Nth(n, fault)), []
        done = fetch(team.store(f"f{n}"), team.remote(f"f{n}", retrying(faulty, waited)), roots)
        assert done.objects == done.total_objects
        assert len(waited) == 1
        check_store(team.store(f"f{n}"))


def test_credentials_that_expire_on_the_way_are_named_and_not_tried_again(team, here):
    store, roots = here
    faulty, waited = Faulty(team.storage, Nth(3, Fault.EXPIRED, lasting=True)), []
    error = outcome(lambda: push(store, team.remote("me", retrying(faulty, waited)), roots))
    assert error.code == "denied"
    assert error.why == "the session has expired"
    assert waited == []
    assert push(store, team.remote("me"), roots).objects == len(closure(store, roots.values()))


@pytest.mark.parametrize("seed", range(12))
def test_a_storage_that_often_fails_is_survived_by_trying_again(team, here, seed):
    """One of six calls goes wrong somehow, for pushes and fetches without any patience."""
    store, roots = here
    plan = Chance(seed, 1 / 6)
    numbers = itertools.count()

    def numbered(call):  # each command makes a backend of its own
        return plan(type(call)(next(numbers), call.method, call.key))

    def until_done(action):
        for _ in range(60):
            error = outcome(action)
            check_storage(team.storage)
            if error is None:
                return
        pytest.fail("it never got through")

    def faulty():
        return Faulty(team.storage, numbered)

    until_done(lambda: push(store, team.remote("me", faulty()), roots))
    assert check_storage(team.storage) >= closure(store, roots.values())
    until_done(lambda: fetch(team.store("there"), team.remote("there", faulty()), roots))
    check_store(team.store("there"))
    assert files_of(team.store("there"), roots[OTHER]) == MORE


@pytest.mark.parametrize("listings", [1, 2, 5])
def test_listings_that_lag_behind_cost_duplicates_or_a_clear_error(team, here, listings):
    """The design counts on current listings; where they aren't, nothing wrong comes of it."""
    store, roots = here
    lagging = Lagging(team.storage, listings=listings)
    push(store, team.remote("me", lagging), {DATA: roots[DATA]})
    assert outcome(lambda: push(store, team.remote("you", lagging), roots)) is None
    check_storage(team.storage)
    for _ in range(2 * listings + 2):
        error = outcome(lambda: fetch(team.store("new"), team.remote("new", lagging), roots))
        check_store(team.store("new"))
        if error is None:
            break
        assert error.code in ("missing", "usage")
    assert files_of(team.store("new"), roots[OTHER]) == MORE


@pytest.mark.parametrize("listings", [1, 4])
def test_an_index_that_is_listed_after_it_was_deleted_is_an_error_at_worst(team, here, listings):
    store, roots = here
    push(store, team.remote("me"), {DATA: roots[DATA]})
    lagging = Lagging(team.storage, listings=listings)
    (old,) = [key for key in team.storage.objects if key.startswith("index/")]
    lagging.delete(old)
    push(store, team.remote("you"), roots)
    for _ in range(listings + 1):
        error = outcome(lambda: fetch(team.store("new"), team.remote("new", lagging), roots))
        if error is None:
            break
        assert error.code == "missing"
        assert error.hint
    assert files_of(team.store("new"), roots[OTHER]) == MORE


@pytest.mark.parametrize("fault", [Fault.SHORT, Fault.LONG, Fault.FLIPPED, Fault.ERROR_BODY])
def test_bytes_spoiled_at_every_read_are_an_integrity_error(team, here, fault):
    store, roots = here
    push(store, team.remote("me"), roots)
    faulty = Faulty(
        team.storage,
        lambda call: fault if call.method in READS and call.key.startswith("packs/") else None,
    )
    there = team.store("there")
    error = outcome(lambda: fetch(there, team.remote("there", faulty), roots))
    if fault is Fault.LONG and error is None:
        assert files_of(there, roots[DATA]) == FILES
        return
    assert isinstance(error, IntegrityError)
    assert error.exit_code == 13
    check_store(team.store("there"))
    assert not team.store("there").holds(roots[DATA])


@pytest.mark.parametrize("fault", Fault)
def test_foreseeing_hurt_at_any_call_changes_nothing(team, here, fault):
    """What `push --dry-run`, `fetch --dry-run` and `status --remote` ask."""
    store, roots = here
    push(store, team.remote("me"), {DATA: roots[DATA]})
    before = dict(team.storage.objects)
    for foresee, name in ((foresee_push, "here"), (plan_fetch, "there")):

        def run(backend, name=name, foresee=foresee):
            shutil.rmtree(team.folder / name / "remotes", ignore_errors=True)
            return foresee(team.store(name), team.remote(name, backend), {DATA: roots[DATA]})

        for n in range(len(calls_of(run, team.storage))):
            faulty = Faulty(team.storage, Nth(n, fault))
            error = outcome(lambda faulty=faulty, run=run: run(faulty))
            hurt = faulty.calls[n].method
            if fault in (*PASSING, Fault.EXPIRED) and is_possible(fault, hurt):
                assert error is not None, (n, hurt)
            assert team.storage.objects == before
        check_store(team.store(name))
    assert not team.store("there").holds(roots[DATA])
