"""Checking a store and making it whole: nothing that still verifies is lost."""

import errno
import io
import os
import random

import pytest

from pivot.errors import IntegrityError, MissingDataError
from pivot.store.check import check
from pivot.store.entry import Kind
from pivot.store.repair import repair
from pivot.store.store import Store

COUNT = 30


def fill(store, seed=0, count=COUNT, size=20_000):
    """Add entries of incompressible bytes in one session, so in one pack: bytes by id."""
    rnd = random.Random(seed)
    added = {}
    with store.writer() as writer:
        for _ in range(count):
            data = rnd.randbytes(size)
            added[writer.add_bytes(data, Kind.DATA)] = data
    return added


def files(root, folder, suffix):
    found = []
    for base, _, names in os.walk(os.path.join(root, folder)):
        found += [os.path.join(base, name) for name in names if name.endswith(suffix)]
    return sorted(found)


def packs(root):
    return files(root, "packs", ".pack")


def indexes(root):
    return files(root, "index", ".idx")


def flip(path, at):
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        f.seek(at if at >= 0 else at + os.path.getsize(path))
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))


def readable(root, entries):
    """How many entries are there as they were; one with other bytes fails the test."""
    store, count = Store.open(root), 0
    for id_, data in entries.items():
        try:
            assert store.read(id_, Kind.DATA) == data
        except (IntegrityError, MissingDataError):
            continue
        count += 1
    return count


def test_sound_store_is_sound(root, store):
    fill(store)
    health = check(Store.open(root), read_data=True)
    assert health.is_sound
    assert (health.packs, health.indexes) == (1, 1)
    assert health.unindexed_packs == ()


def test_empty_store_is_sound_and_stays_empty(root, store):
    assert check(store).is_sound
    assert repair(store).set_aside == ()
    assert packs(root) == indexes(root) == []


@pytest.fixture
def dying(monkeypatch):
    """Lets the disk fail with `error` where a file is read beyond the byte `at`."""

    def die(path, at, error):
        stat = os.stat(path)

        def check(fd, end):
            if os.path.samestat(os.fstat(fd), stat) and end > at:
                raise OSError(error, os.strerror(error))

        class Raw(io.FileIO):
            def readinto(self, buffer, /):
                check(self.fileno(), self.tell() + len(buffer))
                return super().readinto(buffer)

        def pread(fd, size, offset, real=os.pread):
            check(fd, offset + size)
            return real(fd, size, offset)

        monkeypatch.setattr(os, "pread", pread)
        monkeypatch.setattr(
            "pivot.store.pack.open",
            lambda fd, _: io.BufferedReader(Raw(fd), buffer_size=1),
            raising=False,
        )

    return die


@pytest.mark.parametrize("error", [errno.EIO, errno.EBADMSG])
def test_a_disk_that_fails_in_one_pack_harms_nothing_else(root, store, dying, error):
    entries = fill(store)
    others = fill(store, seed=1)
    bad = max(packs(root), key=os.path.getsize)
    bad_entries = entries if readable_from(root, bad, entries) else others
    dying(bad, os.path.getsize(bad) // 2, error)
    health = check(Store.open(root), read_data=True)
    ((name, why),) = health.damaged_packs
    assert bad.endswith(f"{name.hex()}.pack")
    assert why.startswith("the disk can't read it: ")
    assert health.damaged_entries < bad_entries.keys()
    assert 0 < readable(root, bad_entries) < COUNT
    done = repair(Store.open(root))
    assert 0 < done.saved < COUNT
    assert done.lost == health.damaged_entries
    assert [os.path.basename(path) for path in done.set_aside] == [os.path.basename(bad)]
    assert readable(root, entries | others) == 2 * COUNT - len(done.lost)
    assert check(Store.open(root), read_data=True).is_sound


def readable_from(root, pack, entries):
    """Whether entries lie in the pack at a path."""
    place = Store.open(root).find(next(iter(entries)))
    return pack.endswith(f"{place.block.pack.hex()}.pack")


def test_other_errors_of_the_disk_are_no_damage(root, store, dying):
    """What may not be read, or only not now, must not be set aside."""
    fill(store)
    (pack,) = packs(root)
    dying(pack, 100, errno.ENOMEM)
    for work in (repair, lambda store: check(store, read_data=True)):
        with pytest.raises(OSError, match="memory"):
            work(Store.open(root))
    assert packs(root) == [pack]


@pytest.mark.parametrize("harm", [lambda i: flip(i, 40), lambda i: os.truncate(i, 20)])
def test_damaged_index_is_named_and_made_again(root, store, harm):
    entries = fill(store)
    (index,) = indexes(root)
    os.chmod(index, 0o644)
    harm(index)
    health = check(Store.open(root))
    ((name, why),) = health.damaged_indexes
    assert str(name) in index
    assert why
    done = repair(Store.open(root))
    assert (done.indexed, done.saved, done.set_aside) == (1, 0, ())
    assert check(Store.open(root), read_data=True).is_sound
    assert not os.path.exists(index)
    assert readable(root, entries) == COUNT


def test_lost_index_leaves_packs_that_are_indexed_again(root, store):
    entries = {**fill(store, 1), **fill(store, 2)}
    for index in indexes(root):
        os.unlink(index)
    health = check(Store.open(root))
    assert health.is_sound, "a crash leaves such packs, too"
    assert len(health.unindexed_packs) == 2
    assert repair(Store.open(root)).indexed == 2
    assert check(Store.open(root)).unindexed_packs == ()
    assert readable(root, entries) == 2 * COUNT


def test_damage_within_a_pack_costs_its_block_alone(root, store):
    entries = fill(store)
    (pack,) = packs(root)
    flip(pack, os.path.getsize(pack) // 2)
    assert check(Store.open(root)).is_sound, "only reading all of it tells"
    health = check(Store.open(root), read_data=True)
    ((name, _),) = health.damaged_packs
    assert str(name) in pack
    assert 0 < len(health.damaged_entries) <= 8
    assert health.damaged_indexes == (), "its index is not to blame"
    done = repair(Store.open(root))
    assert done.indexed == 0
    assert done.set_aside == (os.path.join(root, "damaged", os.path.basename(pack)),)
    assert COUNT - 8 <= done.saved < COUNT
    assert readable(root, entries) == done.saved
    assert check(Store.open(root), read_data=True).is_sound
    assert os.path.exists(done.set_aside[0])
    assert not os.path.exists(pack)


def test_cut_pack_is_set_aside_and_what_is_before_the_cut_saved_if_it_can_be(root, store):
    entries = {**fill(store, 1), **fill(store, 2)}
    sound, cut = packs(root)
    os.chmod(cut, 0o644)
    os.truncate(cut, os.path.getsize(cut) // 2)
    health = check(Store.open(root))
    ((name, why),) = health.damaged_packs
    assert str(name) in cut
    assert why.startswith("it has ")
    assert health.damaged_entries <= entries.keys()
    assert len(health.damaged_entries) == COUNT
    done = repair(Store.open(root))
    assert done.indexed == 1
    assert readable(root, entries) == COUNT + done.saved
    assert check(Store.open(root), read_data=True).is_sound
    assert sound in packs(root)


def test_missing_pack_is_named_and_its_entries_are_forgotten(root, store):
    kept, lost = fill(store, 1), None
    first = packs(root)
    lost = fill(store, 2)
    (gone,) = set(packs(root)) - set(first)
    os.unlink(gone)
    (name,) = check(Store.open(root)).missing_packs
    assert str(name) in gone
    repair(Store.open(root))
    assert check(Store.open(root)).is_sound
    mended = Store.open(root)
    assert not any(mended.has(id_) for id_ in lost)
    assert readable(root, kept) == COUNT
    assert fill(mended, 2).keys() == lost.keys(), "and can be added again"
    assert readable(root, lost) == COUNT


def test_repairing_twice_finds_nothing_the_second_time(root, store):
    fill(store)
    flip(packs(root)[0], os.path.getsize(packs(root)[0]) // 2)
    repair(Store.open(root))
    before = packs(root)
    again = repair(Store.open(root))
    assert (again.saved, again.set_aside) == (0, ())
    assert packs(root) == before


def test_files_that_are_no_packs_are_left_alone(root, store):
    fill(store)
    stranger = os.path.join(root, "packs", "notes.txt")
    with open(stranger, "w") as f:
        f.write("mine")
    health = check(Store.open(root), read_data=True)
    assert health.packs == 1
    repair(Store.open(root))
    assert os.path.exists(stranger)
