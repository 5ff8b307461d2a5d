"""Remotes that lie: memory, time and the places written to stay bounded, and errors are clear."""

import json
import os
import random
import time
import tracemalloc

import pytest

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.store.codec import Codec
from pivot.store.content import Content, ContentType
from pivot.store.entry import BlockPlace, Entry, FileName, Kind, PackedBlock, PackInfo, Place
from pivot.store.index import index_key
from pivot.store.indexing import encode, rows_of
from pivot.store.pack import pack_key
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.transfer import tombstones
from pivot_remotes.backend import ObjectInfo
from pivot_remotes.faulty import Faulty
from tests.unit.closure import closure
from tests.unit.storage import Storage
from tests.unit.team import check_storage, check_store, files_of, put_tree

DATA = RepoPath("data")
FILES = {"a": b"some text " * 12, "b": random.Random(1).randbytes(4000)}
MEBIBYTE = 1 << 20


@pytest.fixture
def pushed(team):
    """A remote with a directory; the store that it came from, and its roots."""
    store = team.store("here")
    roots = {DATA: put_tree(store, FILES)}
    push(store, team.remote("me"), roots)
    return store, roots


def keys(team, folder):
    return [key for key in team.storage.objects if key.startswith(folder)]


def failure(action):
    """The error of an action that fails, as a user can read it."""
    with pytest.raises(PivotError) as caught:
        action()
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def forge(team, rows, sizes, **options):
    """Put an index that says what it likes, under its right name and checksum."""
    name = FileName.fresh()
    team.storage.put(index_key(name), encode(name, rows, sizes, **options))
    return name


def alone(team):
    """Forget the true index."""
    for key in keys(team, "index/"):
        team.storage.delete(key)


def places_of(team, store, roots):
    """The true rows of the one pack, and its size."""
    remote = team.remote("honest")
    remote.open()
    (pack,) = remote.packs
    rows = {id_: remote.find(id_) for id_ in closure(store, roots.values())}
    return rows, pack, remote.packs[pack]


# -- lying indexes ----------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 1.5, 1000, 1e9])
def test_a_pack_of_another_size_than_its_index_says(team, pushed, factor):
    """Blocks beyond its end aren't there; a size alone that is wrong harms nobody."""
    store, roots = pushed
    rows, pack, size = places_of(team, store, roots)
    alone(team)
    forge(team, rows, {pack: int(size * factor)})
    if factor < 1:
        assert isinstance(failure(team.remote("there").open), IntegrityError)
        return
    fetch(team.store("there"), team.remote("there"), roots)
    assert files_of(team.store("there"), roots[DATA]) == FILES
    check_store(team.store("there"))


@pytest.mark.parametrize("offset", [1, 10_000, 1 << 40])
def test_blocks_that_lie_elsewhere_in_the_pack_or_beyond_it(team, pushed, offset):
    store, roots = pushed
    rows, pack, _ = places_of(team, store, roots)
    moved = {}
    for id_, p in rows.items():
        block = p.block
        there = BlockPlace(pack, block.offset + offset, block.stored, block.raw, block.codec)
        moved[id_] = Place(there, p.offset, p.size, p.kind)
    alone(team)
    forge(team, moved, {pack: (1 << 40) + 100_000})
    error = failure(lambda: fetch(team.store("there"), team.remote("there"), roots))
    assert isinstance(error, IntegrityError)
    check_store(team.store("there"))
    assert not team.store("there").holds(roots[DATA])


def test_an_id_with_the_bytes_of_another(team, pushed):
    store, roots = pushed
    rows, pack, size = places_of(team, store, roots)
    data = [id_ for id_, place in rows.items() if place.kind is Kind.DATA]
    rows[data[0]], rows[data[1]] = rows[data[1]], rows[data[0]]
    alone(team)
    forge(team, rows, {pack: size})
    error = failure(lambda: fetch(team.store("there"), team.remote("there"), roots))
    assert isinstance(error, IntegrityError)
    assert "index/" in error.hint
    check_store(team.store("there"))


def test_a_tree_that_is_declared_to_be_a_file(team, pushed):
    store, roots = pushed
    rows, pack, size = places_of(team, store, roots)
    rows = {id_: Place(p.block, p.offset, p.size, Kind.DATA) for id_, p in rows.items()}
    alone(team)
    forge(team, rows, {pack: size})
    error = failure(lambda: fetch(team.store("there"), team.remote("there"), roots))
    assert isinstance(error, IntegrityError)
    check_store(team.store("there"))


def test_a_small_block_that_claims_to_hold_the_most_is_refused_in_bounded_memory(team):
    """Eight of them at once, of bytes that don't open to what was declared."""
    pack = FileName.fresh()
    blocks, roots, offset = [], {}, 100
    for n in range(40):
        id_ = hash_bytes(b"%d" % n)
        place = BlockPlace(pack, offset, 1000, 64 * MEBIBYTE, Codec.ZSTD)
        blocks.append(PackedBlock(place, (Entry(id_, Kind.DATA, 64 * MEBIBYTE),)))
        roots[RepoPath(f"f{n}")] = Content(ContentType.FILE, id_, 64 * MEBIBYTE)
        offset += 1000
    info = PackInfo(pack, offset + 100, tuple(blocks))
    team.remote("me").open_to_write()
    team.storage.put(pack_key(pack), random.Random(1).randbytes(info.size))
    forge(team, dict(rows_of([info])), {pack: info.size})
    tracemalloc.start()
    error = failure(lambda: fetch(team.store("there"), team.remote("there"), roots))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, IntegrityError)
    assert peak < 32 * MEBIBYTE
    check_store(team.store("there"))


def test_an_index_that_claims_to_replace_everything(team, pushed):
    """What it hides is missing, which is said; a push brings it back."""
    store, roots = pushed
    names = [FileName.parse(key[6:38]) for key in keys(team, "index/")]
    forge(team, {}, {}, level=40_000, replaces=names)
    error = failure(lambda: fetch(team.store("there"), team.remote("there"), roots))
    assert isinstance(error, MissingDataError)
    push(store, team.remote("you"), roots)
    fetch(team.store("there"), team.remote("there"), roots)
    assert files_of(team.store("there"), roots[DATA]) == FILES


def test_indexes_that_replace_each_other_or_themselves(team, pushed):
    store, roots = pushed
    rows, pack, size = places_of(team, store, roots)
    one, two = FileName.fresh(), FileName.fresh()
    team.storage.put(index_key(one), encode(one, rows, {pack: size}, replaces=[two]))
    team.storage.put(index_key(two), encode(two, rows, {pack: size}, replaces=[one, two]))
    alone_true = team.remote("there")
    alone_true.open()
    assert len(alone_true.indexes) == 1
    fetch(team.store("there"), team.remote("there"), roots)
    assert files_of(team.store("there"), roots[DATA]) == FILES


# -- lying listings ---------------------------------------------------------------------------


class Listed(Storage):
    """Lists more than there is; `asked` are the keys of objects that were read or written."""

    def __init__(self, objects, more):
        super().__init__(objects)
        self.more = more
        self.asked = []

    def list(self, prefix):
        return [*super().list(prefix), *(i for i in self.more if i.key.startswith(prefix))]

    def get(self, key):
        self.asked.append(key)
        return super().get(key)


def test_a_million_odd_names_are_passed_over_at_once(team, pushed):
    _, roots = pushed
    more = [ObjectInfo(f"index/{n}.idx", 10) for n in range(500_000)]
    more += [ObjectInfo(f"index/{n:032x}.tmp", 10) for n in range(500_000)]
    team.storage = Listed(team.storage.objects, more)
    begun = time.process_time()
    fetch(team.store("there"), team.remote("there"), roots)
    assert time.process_time() - begun < 15
    assert len(team.storage.asked) <= 4


@pytest.mark.parametrize(
    "key",
    [
        "tombstones/../../outside",
        "tombstones/../../../outside.json",
        "tombstones//outside",
        "tombstones/a/b.json",
        "tombstones/\0",
        "tombstones/" + "a" * 3000 + ".json",
        "index/../../" + "0" * 32 + ".idx",
        "index/sub/" + "0" * 32 + ".idx",
    ],
)
def test_keys_that_are_no_names_lead_nowhere(team, pushed, key, tmp_path):
    """Real backends list no such keys; a plugin's might."""
    store, roots = pushed
    team.storage = Listed(team.storage.objects, [ObjectInfo(key, 10)])
    before = {path for path in tmp_path.rglob("*") if "there" not in path.parts}
    fetch(team.store("there"), team.remote("there"), roots)
    push(store, team.remote("there"), roots)
    assert not [asked for asked in team.storage.asked if ".." in asked or "outside" in asked]
    after = {path for path in tmp_path.rglob("*") if "there" not in path.parts}
    assert {path for path in after - before if "outside" in path.name} == set()


# -- lying tombstones -------------------------------------------------------------------------


def doom(team, packs):
    team.storage.put(f"tombstones/{FileName.fresh()}.json", tombstones.encode(frozenset(packs)))


def test_a_tombstone_that_names_everything_hides_nothing_from_readers(team, pushed):
    store, roots = pushed
    doom(team, [FileName.parse(key[9:41]) for key in keys(team, "packs/")])
    fetch(team.store("there"), team.remote("there"), roots)
    assert files_of(team.store("there"), roots[DATA]) == FILES
    assert push(store, team.remote("you"), roots).objects == 3
    assert check_storage(team.storage) >= closure(store, roots.values())


def test_a_remote_that_dooms_whatever_is_sent_ends_a_push_with_an_error(team, pushed):
    """It would go on for ever: each round finds that what it sent is about to be deleted."""
    store, roots = pushed

    def dooming(call):
        if call.method == "list" and call.key.startswith("tombstones"):
            doom(team, [FileName.parse(key[9:41]) for key in keys(team, "packs/")])

    error = failure(lambda: push(store, team.remote("you", Faulty(team.storage, dooming)), roots))
    assert "tombstone" in f"{error.message} {error.why}"
    assert len(keys(team, "packs/")) < 20


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'{"format": 1, "packs": "everything"}',
        b'{"format": 1, "packs": [1, 2]}',
        b'{"format": 1, "packs": {"a": 1}}',
        b'{"format": true, "packs": []}',
        b'{"format": 99, "packs": []}',
        b"[" * 200_000,
        b'{"format": ' + b"9" * 6000 + b', "packs": []}',
    ],
)
def test_tombstones_that_are_none_stop_a_push(team, pushed, text):
    store, roots = pushed
    team.storage.put(f"tombstones/{FileName.fresh()}.json", text)
    error = failure(lambda: push(store, team.remote("you"), roots))
    assert "tombstones/" in error.message


@pytest.mark.parametrize("created", ["1" + "0" * 400, "1e400", "-1", "NaN", "true", '"today"'])
def test_a_tombstone_of_an_impossible_time_tells_none(created):
    text = f'{{"format": 1, "packs": [], "created": {created}}}'
    assert tombstones.read(text.encode(), "tombstones/a.json", "here").created is None


# -- the store's file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"<html>Please log in</html>",
        b'{"format": 1}',
        b'{"format": 1, "id": 7}',
        b'{"format": "1", "id": "00000000000000000000000000000000"}',
        b'{"format": 99, "id": "00000000000000000000000000000000"}',
        b"[" * 200_000,
        b'{"format": ' + b"9" * 6000 + b', "id": ""}',
        b"\xff\xfe\x00",
    ],
)
def test_a_store_file_that_is_none_is_refused_and_nothing_is_sent(team, pushed, text):
    store, roots = pushed
    team.storage.put("pivot-store.json", text)
    before = dict(team.storage.objects)
    for action in (
        lambda: push(store, team.remote("you"), roots),
        lambda: fetch(team.store("there"), team.remote("there"), roots),
    ):
        error = failure(action)
        assert "memory" in error.message
    assert team.storage.objects == before


def test_a_store_file_from_another_version_keeps_its_members(team, pushed):
    """A later version may add some."""
    store, roots = pushed
    value = json.loads(team.storage.get("pivot-store.json"))
    team.storage.put("pivot-store.json", json.dumps({**value, "new": [1, 2]}).encode())
    push(store, team.remote("you"), roots)
    assert json.loads(team.storage.get("pivot-store.json"))["new"] == [1, 2]


# -- sizes ------------------------------------------------------------------------------------


class Endless(Storage):
    """An object of as many bytes as anyone is ready to take."""

    def __init__(self, objects, key):
        super().__init__(objects)
        self.key = key

    def list(self, prefix):
        return [
            ObjectInfo(info.key, 1 << 50, info.modified) if info.key == self.key else info
            for info in super().list(prefix)
        ]

    def get(self, key):
        assert key != self.key, "it was asked for whole"
        return super().get(key)


@pytest.mark.parametrize("folder", ["index/", "tombstones/"])
def test_a_small_file_that_is_listed_as_a_huge_one_is_not_brought(team, pushed, folder):
    store, roots = pushed
    doom(team, [FileName.fresh()])
    (key,) = keys(team, folder)
    team.storage = Endless(team.storage.objects, key)
    error = failure(lambda: push(store, team.remote("you"), roots))
    assert key in error.message
    assert os.listdir(team.folder / "here" / "packs")
