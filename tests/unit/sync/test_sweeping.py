"""What is decided of a remote's packs and tombstones, from listings alone."""

import dataclasses

import pytest

from pivot.errors import IntegrityError
from pivot.hashing import hash_bytes
from pivot.store.codec import Codec
from pivot.store.entry import BlockPlace, FileName, Kind, Place
from pivot.store.index import Index
from pivot.store.indexing import encode
from pivot.sync.sweeping import DAY, GRACE, SKEW, plan_sweep, refuse_lost, without_copies
from pivot.transfer.sweeping import Grave, Stock, StoredPack
from pivot.transfer.tombstones import Tombstone

NOW = 1_000 * DAY
BLOCK = 1000


def ids(*texts):
    return {hash_bytes(text.encode()) for text in texts}


class World:
    """Packs of blocks of 1,000 bytes, one entry each, named after the entry."""

    def __init__(self):
        self.packs, self.indexes, self.graves = {}, [], []

    def pack(self, *entries, age=0.0, is_indexed=True):
        name = FileName.fresh()
        size = 100 + BLOCK * len(entries)
        self.packs[name] = StoredPack(size, NOW - age)
        if is_indexed:
            rows = {
                hash_bytes(entry.encode()): Place(
                    BlockPlace(name, 50 + BLOCK * n, BLOCK, BLOCK, Codec.RAW), 0, BLOCK, Kind.DATA
                )
                for n, entry in enumerate(entries)
            }
            index = FileName.fresh()
            data = encode(index, rows, {name: size})
            self.indexes.append(Index(memoryview(data), index))
        return name

    def grave(self, *packs, age=0.0, deleted=False, put=True):
        stone = Tombstone(frozenset(packs), NOW - age, deleted)
        key = f"tombstones/{len(self.graves)}.json"
        self.graves.append(Grave(key, stone, NOW - age if put else None))
        return key

    def delete(self, pack):
        del self.packs[pack]
        self.indexes = [i for i in self.indexes if pack not in dict(i.packs)]

    def stock(self, **others):
        return Stock(self.packs, tuple(self.graves), tuple(self.indexes), **others)

    def plan(self, *needed, **others):
        return plan_sweep(self.stock(**others), ids(*needed), now=NOW)


@pytest.fixture
def world():
    return World()


def test_what_nothing_needs_is_doomed_and_what_is_needed_stays(world):
    world.pack("a", "b")
    needless = world.pack("c")
    plan = world.plan("a", "b")
    assert (plan.doom, plan.rescue, plan.delete) == ((needless,), (), ())
    assert plan.kept_entries == 2


def test_a_pack_of_which_a_minor_part_is_needed_is_copied_first(world):
    pack = world.pack("a", "b", "c", "d")
    plan = world.plan("a")
    assert (plan.doom, plan.partly) == ((pack,), (pack,))
    assert set(plan.rescue) == ids("a")
    assert world.plan("a", "b", "c").doom == ()


def test_of_two_copies_the_one_in_the_more_needed_pack_stays(world):
    world.pack("a", "b", "c")
    second = world.pack("a")
    plan = world.plan("a", "b", "c")
    assert (plan.doom, plan.rescue) == ((second,), ())


def test_packs_without_an_index_go_after_the_grace(world):
    world.pack("a", is_indexed=False, age=GRACE - 1)
    old = world.pack("b", is_indexed=False, age=GRACE + 1)
    plan = world.plan()
    assert (plan.doom, plan.nameless) == ((old,), (old,))


def test_a_pack_whose_age_nobody_tells_stays_without_an_index(world):
    pack = world.pack("a", is_indexed=False, age=10 * GRACE)
    world.packs[pack] = dataclasses.replace(world.packs[pack], put=None)
    assert world.plan().is_empty


def test_doomed_packs_are_deleted_after_the_grace(world):
    pack = world.pack("a")
    world.grave(pack, age=GRACE - 1)
    early = world.plan()
    assert (early.delete, early.waiting, early.next_end) == ((), (pack,), NOW + 1)
    world.graves.clear()
    world.grave(pack, age=GRACE + 1)
    late = world.plan()
    assert (late.delete, late.waiting, late.doom) == ((pack,), (), ())


def test_where_no_times_are_told_that_of_the_maker_counts_with_a_margin(world):
    pack = world.pack("a")
    world.grave(pack, age=GRACE + SKEW - 1, put=False)
    assert world.plan().delete == ()
    world.graves.clear()
    world.grave(pack, age=GRACE + SKEW + 1, put=False)
    assert world.plan().delete == (pack,)


def test_what_is_needed_only_there_is_copied_before_it_is_deleted(world):
    doomed = world.pack("a", "b", "c")
    world.pack("b")
    world.grave(doomed, age=GRACE + 1)
    plan = world.plan("a", "b")
    assert set(plan.rescue) == ids("a")
    assert plan.delete == (doomed,)


def test_a_place_in_another_doomed_pack_is_none_to_rely_on(world):
    first, second = world.pack("a"), world.pack("a")
    world.grave(first, age=GRACE + 1)
    world.grave(second, age=1)
    assert set(world.plan("a").rescue) == ids("a")


def test_deletion_stays_known_for_a_grace(world):
    pack = world.pack("a")
    foretold = world.grave(pack, age=GRACE + DAY)
    told = world.grave(pack, age=DAY, deleted=True)
    world.delete(pack)
    assert world.plan().is_empty
    world.graves = [dataclasses.replace(grave, put=grave.put - GRACE) for grave in world.graves]
    assert set(world.plan().spent) == {foretold, told}


@pytest.mark.parametrize("what", ["rows", "pack", "superseded"])
def test_what_came_back_is_deleted_again_and_hidden_for_another_grace(world, what):
    pack = world.pack("a")
    world.grave(pack, age=3 * GRACE, deleted=True)
    others = {}
    if what == "rows":
        del world.packs[pack]
    elif what == "pack":
        world.indexes.clear()
    else:
        world.delete(pack)
        others = {"superseded": frozenset({FileName.fresh()})}
    plan = world.plan(**others)
    assert (plan.delete, plan.spent, plan.doom) == ((pack,), (), ())


def test_a_pack_of_another_size_than_its_index_says_is_left_alone(world):
    pack = world.pack("a")
    world.packs[pack] = dataclasses.replace(world.packs[pack], size=7)
    assert world.plan().is_empty
    assert world.plan("a").kept_entries == 0


def test_without_copies_only_the_needless_is_doomed(world):
    world.pack("a", "b", "c", "d")
    needless = world.pack("e")
    world.grave(world.pack("f"), age=GRACE + 1)
    plan = without_copies(world.plan("a", "f"))
    assert (plan.doom, plan.rescue, plan.delete) == ((needless,), (), ())


def test_nothing_goes_while_a_copy_is_missing(world):
    world.pack("a", "b", "c", "d")
    plan = world.plan("a")
    with pytest.raises(IntegrityError, match="wasn't copied"):
        refuse_lost(world.stock(), plan, "/remote")
    world.pack("a")
    refuse_lost(world.stock(), plan, "/remote")
