"""Scenes in which the protocol of a remote keeps what was promised; broken, it loses something."""

import dataclasses

import pytest

import pivot.sync.collect as sync_collect
import pivot.sync.plan as sync_plan
from pivot.errors import PivotError
from pivot.sync.sweeping import GRACE
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sweeping import Sweeping
from tests.unit.sync.remote_machine import RemoteMachine, World, quick
from tests.unit.sync.simulated import DAY


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with quick():
        return World(str(tmp_path_factory.mktemp("world") / "store"))


def without_listing_tombstones_again(patch):
    patch.setattr(RemoteStore, "refresh_tombstones", lambda self: False)


def without_copies(patch):
    patch.setattr(sync_collect, "rescue", lambda *_, **__: None)
    patch.setattr(sync_collect, "refuse_lost", lambda *_: None)


def with_deleted_packs_forgotten_at_once(patch):
    """No tombstone says that packs were deleted, and the one that foretold it goes with them."""
    doom, delete_packs = Sweeping.doom, Sweeping.delete_packs

    def delete(self, packs):
        gone = frozenset(packs)
        delete_packs(self, gone)
        self.delete(key for key, stone in self._doomed.stones.items() if stone.packs <= gone)

    patch.setattr(Sweeping, "doom", lambda *a, deleted=False: None if deleted else doom(*a))
    patch.setattr(Sweeping, "delete_packs", delete)


def with_packs_revived_in_place(patch):
    """What turns out to be needed has its tombstone taken away, instead of being copied."""
    carry_out = sync_collect._carry_out

    def revive(collecting, borrowed, swept, progress):
        plan, sweeping = swept.plan, collecting.remote.sweeping()
        needed = {collecting.remote.find(id_).block.pack for id_ in plan.rescue}
        stones = sweeping._doomed.stones.items()
        sweeping.delete([k for k, stone in stones if not stone.packs.isdisjoint(needed)])
        kept = tuple(pack for pack in plan.delete if pack not in needed)
        doom = tuple(pack for pack in plan.doom if pack not in plan.partly)
        plan = dataclasses.replace(plan, rescue=(), delete=kept, doom=doom, partly=())
        return carry_out(collecting, borrowed, dataclasses.replace(swept, plan=plan), progress)

    patch.setattr(sync_collect, "_carry_out", revive)


def with_packs_deleted_before_copies_are_made(patch):
    def rescue(borrowed, remote, ids, **options):
        borrowed.obtain(ids)
        doomed = {remote.find(id_).block.pack for id_ in ids} & remote.doomed
        remote.sweeping().delete_packs(doomed)
        copy(borrowed, remote, ids, **options)

    copy = sync_collect.rescue
    patch.setattr(sync_collect, "rescue", rescue)


def with_trust_in_trees_that_are_not_here(patch):
    def completed(closure, store, remote, roots, jobs):
        if all(remote.has(id_) for id_ in closure.absent):
            closure.absent.clear()
        return closure

    patch.setattr(sync_plan, "_completed", completed)


def with_no_grace(patch):
    decide = sync_collect.plan_sweep
    patch.setattr(
        sync_collect, "plan_sweep", lambda *a, **o: decide(*a, **{**o, "grace": GRACE / 2})
    )


def with_refs_read_before_the_clock(patch):
    """The time is asked for once it was found out what is needed."""
    decide = sync_collect._decide
    patch.setattr(sync_collect, "_decide", lambda c, b, w, _: decide(c, b, w, c.clock()))


FAULTS = (
    without_listing_tombstones_again,
    without_copies,
    with_no_grace,
    with_trust_in_trees_that_are_not_here,
    with_deleted_packs_forgotten_at_once,
    with_packs_revived_in_place,
    with_packs_deleted_before_copies_are_made,
    with_refs_read_before_the_clock,
)


def until(machine, operation, verb, folder):
    """Let an operation go on until it is about to make such a call."""
    while not operation.is_over:
        if operation.next and operation.next[0] == verb and operation.next[1].startswith(folder):
            return
        machine.go(operation, 1)
    raise AssertionError(f"it never came to {verb} {folder}: {operation.error}")


def another_client_relies_on_what_is_doomed(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    machine.push("bob", 0)
    machine.pass_time(6 * DAY)
    machine.collect("ada")


def doomed_data_is_committed_within_the_grace(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    machine.collect("eve")


def it_is_collected_twice_within_the_grace(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    machine.collect("bob")


def a_fresh_clone_pushes_what_it_never_fetched(machine):
    for number in range(3):
        machine.push("ada", number)
    machine.refs["one"].add(machine.content(2))
    for _ in range(2):
        machine.pass_time(20 * DAY)
        machine.collect("ada")
    machine.push("eve", 1)


def a_slow_merge_brings_rows_of_deleted_packs_back(machine):
    machine.push("ada", 0)
    machine.push("ada", 1)
    machine.refs["one"].add(machine.content(1))
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    slow = machine.pushing("bob", machine.content(2))
    until(machine, slow, "list", "tombstones")
    until(machine, slow, "put", "index/")
    machine.pass_time(6 * DAY)
    machine.collect("ada")
    machine.go(slow)
    machine.push("ada", 0)


def a_collection_that_decided_before_goes_on_after_another(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    first = machine.collecting("bob")
    until(machine, first, "list", "packs")
    machine.drop_a_ref("one", 0)
    second = machine.collecting("eve")
    for folder in ("packs", "tmp", "index"):  # it looked at everything, and decided
        until(machine, second, "list", folder)
    machine.go(first)
    machine.push("ada", 0)
    machine.go(second)


def a_collection_dies_while_it_copies(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    dying = machine.collecting("eve")
    until(machine, dying, "put", "packs/")
    dying.kill()
    machine.settle(dying)


def a_commit_comes_while_a_collection_begins(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    slow = machine.collecting("eve")
    until(machine, slow, "delete", "tmp/clock")
    until(machine, slow, "list", "index")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(6 * DAY)
    machine.go(slow)


SCENES = (
    (another_client_relies_on_what_is_doomed, {}),
    (doomed_data_is_committed_within_the_grace, {}),
    (it_is_collected_twice_within_the_grace, {}),
    (a_fresh_clone_pushes_what_it_never_fetched, {"versions": ("ae", "abc", "bcd")}),
    (
        a_slow_merge_brings_rows_of_deleted_packs_back,
        {"versions": ("abc", "ef", "f"), "fan_in": 3},
    ),
    (a_collection_that_decided_before_goes_on_after_another, {}),
    (a_collection_dies_while_it_copies, {}),
    (a_commit_comes_while_a_collection_begins, {}),
)


def play(world, scene, attributes):
    machine = type("Machine", (RemoteMachine,), {"world": world, **attributes})()
    machine.start()
    try:
        scene(machine)
        machine.what_was_promised_can_be_read()
    finally:
        machine.teardown()


@pytest.mark.parametrize(("scene", "attributes"), SCENES)
def test_nothing_is_lost_when(world, scene, attributes):
    play(world, scene, attributes)


@pytest.mark.parametrize(
    ("fault", "scene", "attributes"),
    [(fault, *played) for fault, played in zip(FAULTS, SCENES, strict=True)],
)
def test_each_way_to_break_the_protocol_loses_something(
    world, fault, scene, attributes, monkeypatch
):
    fault(monkeypatch)
    with pytest.raises((AssertionError, PivotError)):
        play(world, scene, attributes)
