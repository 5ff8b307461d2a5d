"""Checking a store: what is read, what is blamed, and what isn't."""

import contextlib
import fcntl
import os
import threading
from copy import replace

import pytest
from blake3 import blake3

from pivot.store.check import Part, SoundPart, check
from pivot.store.entry import FileName
from pivot.store.index import index_key
from pivot.store.indexing import rows_of, write_index
from pivot.store.pack import pack_key, scan
from pivot.store.repair import repair
from pivot.store.store import Store


@pytest.fixture
def filled(root):
    """Twenty packs with an entry each; sixteen of their indexes were merged."""
    for number in range(20):
        with Store.open(root).writer() as writer:
            writer.add_bytes(b"entry %d" % number)
    return root


def infos(root):
    """What all packs say of themselves."""
    for pack in Store.open(root).indexes:
        for name, _ in pack.packs:
            with open(os.path.join(root, pack_key(name)), "rb") as file:
                yield scan(file.read(), name)


@pytest.mark.parametrize("total", [1, 2, 3, 30])
def test_all_parts_together_are_every_pack_once(total):
    packs = [FileName.fresh() for _ in range(200)]
    chosen = [
        pack for number in range(total) for pack in packs if Part(number + 1, total).has(pack)
    ]
    assert sorted(chosen) == sorted(packs)


def test_parts_are_stable_over_processes():
    """They rest on the name as a number, 0x000102...0f, of which the remainder by 7 is 2."""
    name = FileName(bytes(range(16)))
    assert [n for n in range(1, 8) if Part(n, 7).has(name)] == [3]


def test_parts_read_their_packs_alone_and_blame_no_index_for_the_others(filled):
    found = [check(Store.open(filled), read_data=True, part=Part(n, 3)) for n in (1, 2, 3)]
    assert sum(health.read_packs for health in found) == 20
    assert all(health.is_sound for health in found)
    assert sum(health.read_bytes for health in found) == sum(i.size for i in infos(filled))


def test_a_forged_place_that_names_no_block_is_found_without_reading_packs(root):
    with Store.open(root).writer() as writer:
        writer.add_bytes(b"entry")
    (name,) = Store.open(root).index_names()
    path = os.path.join(root, index_key(name))
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[-56:-52] = (7).to_bytes(4, "little")
    data[-40:-8] = blake3(data[:-40]).digest()
    os.chmod(path, 0o644)
    with open(path, "wb") as file:
        file.write(data)
    health = check(Store.open(root))
    assert health.damaged_indexes == ((name, "a place names no block"),)
    repair(Store.open(root))
    assert check(Store.open(root), read_data=True).is_sound


def test_progress_ends_at_all_bytes_or_a_little_before(filled):
    seen = []
    check(Store.open(filled), read_data=True, progress=lambda *pair: seen.append(pair))
    assert len(seen) == 20
    assert seen == sorted(seen)
    assert all(done <= total for done, total in seen)


LIES = {
    "a place": lambda p: replace(p, offset=1, size=p.size - 1),
    "a size": lambda p: replace(p, size=p.size - 1),
    "a block": lambda p: replace(p, block=replace(p.block, offset=p.block.offset - 1)),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_index_that_says_of_packs_what_they_do_not_is_named(filled, lie):
    info = next(iter(infos(filled)))
    rows = {id_: LIES[lie](place) for id_, place in rows_of([info])}
    name = write_index(filled, rows, {info.name: info.size})
    assert check(Store.open(filled)).is_sound, "only the packs tell"
    health = check(Store.open(filled), read_data=True)
    assert [n for n, _ in health.damaged_indexes] == [name]
    assert health.damaged_packs == ()
    store = SoundPart(Store.open(filled), health)
    assert all(store.find(id_) == place for id_, place in rows_of([info]))
    repair(Store.open(filled))
    assert check(Store.open(filled), read_data=True).is_sound


def test_an_index_that_names_entries_of_no_pack_is_named(filled):
    info = next(iter(infos(filled)))
    ((_, place),) = rows_of([info])
    name = write_index(filled, {type(info.blocks[0].entries[0].id)(bytes(32)): place},
                       {info.name: info.size})  # fmt: skip
    health = check(Store.open(filled), read_data=True)
    assert [n for n, _ in health.damaged_indexes] == [name]


def test_repairing_waits_for_whoever_uses_the_store(filled):
    waited = []
    done = threading.Event()

    def mend():
        repair(Store.open(filled), waiting=waited.append)
        done.set()

    with Store.open(filled).in_use():
        thread = threading.Thread(target=mend)
        thread.start()
        while not waited:
            assert not done.wait(0.01)
        assert waited == ["another process"]
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()


def test_who_uses_a_store_waits_for_a_repair(filled):
    with open(os.path.join(filled, "tmp/in-use"), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        entered = threading.Event()

        def use():
            with Store.open(filled).in_use():
                entered.set()

        thread = threading.Thread(target=use)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(30)
    assert entered.is_set()


def test_what_a_dead_repair_left_is_removed(filled):
    left = os.path.join(filled, "tmp", "repair-0123456789abcdef", "index")
    os.makedirs(left)
    repair(Store.open(filled))
    assert os.listdir(os.path.join(filled, "tmp")) == ["in-use"]


def test_a_disk_that_fails_at_any_call_of_a_repair_loses_nothing(filled, faults):
    ids = [id_ for info in infos(filled) for id_, _ in rows_of([info])]
    pack = next(iter(infos(filled))).name
    path = os.path.join(filled, pack_key(pack))
    os.chmod(path, 0o644)
    os.truncate(path, os.path.getsize(path) - 1)
    sound = [id_ for id_ in ids if Store.open(filled).has(id_)]
    assert len(sound) == 19
    n, failed = 0, True
    while failed:
        with faults(n) as seen:
            with contextlib.suppress(OSError):
                repair(Store.open(filled))
            failed = len(seen.calls) > n
        assert all(Store.open(filled).has(id_) for id_ in sound)
        n += 1
    assert n >= 10
    assert all(Store.open(filled).has(id_) for id_ in ids), "the cut was behind the entry"
    assert check(Store.open(filled), read_data=True).is_sound
