from concurrent.futures import ThreadPoolExecutor

import pytest

from pivot.hashing import hash_bytes
from pivot.store.entry import FileName, PackedBlock, PackInfo
from pivot.transfer import merging, tombstones
from pivot.transfer.merging import FAN_IN
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import NotFound, Unreachable
from pivot_remotes.memory import open_memory


def listed(tmp_path):
    return sorted(path.stem for path in (tmp_path / "remote" / "index").iterdir())


def bury(tmp_path, packs):
    folder = tmp_path / "remote" / "tombstones"
    folder.mkdir(exist_ok=True)
    (folder / f"{FileName.fresh()}.json").write_bytes(tombstones.encode(frozenset(packs)))


def opened(remote):
    remote.open_to_write()
    return remote


def test_eight_become_one_that_has_all_of_theirs(make_remote, claim, tmp_path):
    writer = opened(make_remote("writer"))
    packs = [claim(writer, b"%d" % n) for n in range(FAN_IN)]
    before = writer.requests
    writer.merge_indexes()
    assert writer.requests - before == 1 + FAN_IN  # a directory deletes one at a time
    (merged,) = listed(tmp_path)
    assert writer.listed == {FileName.parse(merged)}
    for remote in (writer, make_remote("reader")):
        remote.open()
        (index,) = remote.indexes
        assert (str(index.name), index.level, len(index.replaces)) == (merged, 1, FAN_IN)
        assert [remote.find(hash_bytes(b"%d" % n)).block.pack for n in range(FAN_IN)] == [
            pack.name for pack in packs
        ]
    assert listed(tmp_path) == sorted(
        path.stem for path in (tmp_path / "cache-writer" / "index").iterdir()
    )


def test_seven_are_left_alone(make_remote, claim, tmp_path):
    writer = opened(make_remote())
    for n in range(FAN_IN - 1):
        claim(writer, b"%d" % n)
    writer.merge_indexes()
    assert len(listed(tmp_path)) == FAN_IN - 1


def test_after_ten_thousand_pushes_a_clone_learns_what_is_there_in_few_requests(
    make_remote, claim, tmp_path
):
    storage = open_memory(f"memory://{tmp_path.name}")
    writer = opened(make_remote("writer", lambda _: storage))
    pushes = 10_000
    for n in range(pushes):
        claim(writer, b"%d" % n)
        if n % FAN_IN == 0:
            writer.merge_indexes()
    writer.merge_indexes()
    clone = make_remote("clone", lambda _: storage)
    clone.open()
    assert clone.requests <= 40
    assert sum(index.entries for index in clone.indexes) == pushes
    assert clone.held(hash_bytes(b"%d" % n) for n in range(pushes)).ids == {
        hash_bytes(b"%d" % n) for n in range(pushes)
    }


def test_a_level_whose_indexes_dont_fit_into_one_stays_as_it_is(
    make_remote, claim, tmp_path, monkeypatch
):
    writer = opened(make_remote())
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    sizes = [index.size for index in writer.indexes]
    monkeypatch.setattr(merging, "LARGEST", sum(sizes) - 1)
    writer.merge_indexes()
    assert len(listed(tmp_path)) == FAN_IN
    monkeypatch.setattr(merging, "LARGEST", sum(sizes))
    writer.merge_indexes()
    assert len(listed(tmp_path)) == 1


def test_a_large_one_doesnt_keep_small_ones_apart(
    make_remote, claim, unsent, tmp_path, monkeypatch
):
    writer = opened(make_remote())
    writer.add_index([unsent(b"large %d" % n) for n in range(300)])
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    monkeypatch.setattr(merging, "LARGEST", writer.indexes[0].size)
    writer.merge_indexes()
    assert len(listed(tmp_path)) == 2
    assert sorted((index.level, index.entries) for index in writer.indexes) == [(0, 300), (1, 8)]


def test_of_a_doomed_pack_only_what_is_nowhere_else_stays_named(make_remote, claim, tmp_path):
    writer = opened(make_remote("writer"))
    doomed = [claim(writer, b"twice"), claim(writer, b"once")]
    kept = claim(writer, b"twice")
    for n in range(FAN_IN - 3):
        claim(writer, b"%d" % n)
    bury(tmp_path, [pack.name for pack in doomed])
    assert writer.refresh_tombstones()
    writer.merge_indexes()
    reader = make_remote("reader")
    reader.open()
    reader.refresh_tombstones()
    assert len(reader.indexes) == 1
    assert reader.find(hash_bytes(b"twice")).block.pack == kept.name
    assert reader.find(hash_bytes(b"once")).block.pack == doomed[1].name
    assert not reader.has(hash_bytes(b"once"))
    assert doomed[0].name not in reader.packs


def test_what_is_kept_elsewhere_may_be_in_an_index_that_is_not_merged(
    make_remote, claim, unsent, tmp_path
):
    writer = opened(make_remote("writer"))
    doomed = claim(writer, b"twice")
    for n in range(FAN_IN - 1):
        claim(writer, b"%d" % n)
    kept = unsent(b"twice")
    writer.add_index([kept, *(unsent(b"large %d" % n) for n in range(40))])
    bury(tmp_path, [doomed.name])
    writer.refresh_tombstones()
    writer.merge_indexes()
    assert len(listed(tmp_path)) == 2
    assert doomed.name not in writer.packs
    assert writer.find(hash_bytes(b"twice")).block.pack == kept.name


class Failing(DirectoryBackend):
    """A storage that fails at puts or deletes, as told."""

    failing = ""

    def put(self, key, data):
        if Failing.failing == "put" and key.startswith("index/"):
            raise Unreachable("gone")
        super().put(key, data)

    def delete_all(self, keys):
        if Failing.failing == "delete":
            raise Unreachable("gone")
        super().delete_all(keys)


@pytest.mark.parametrize("verb", ["put", "delete"])
def test_a_merge_that_fails_fails_nothing_and_is_made_good_later(
    make_remote, claim, tmp_path, monkeypatch, verb
):
    writer = opened(make_remote("writer", Failing))
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    monkeypatch.setattr(Failing, "failing", verb)
    writer.merge_indexes()
    assert len(listed(tmp_path)) == FAN_IN + (verb == "delete")
    monkeypatch.setattr(Failing, "failing", "")
    reader = opened(make_remote("reader", Failing))
    assert len(reader.held(hash_bytes(b"%d" % n) for n in range(FAN_IN)).ids) == FAN_IN
    for n in range(FAN_IN):
        claim(reader, b"more %d" % n)
    reader.merge_indexes()
    assert len(listed(tmp_path)) == 2
    assert len(reader.held(hash_bytes(b"%d" % n) for n in range(FAN_IN)).ids) == FAN_IN


def everything(pushes):
    return {hash_bytes(b"%d" % n) for n in range(pushes)}


def test_two_that_merge_the_same_ones_make_duplicates_which_the_next_merge_ends(
    make_remote, claim, tmp_path
):
    one = opened(make_remote("one"))
    for n in range(FAN_IN):
        claim(one, b"%d" % n)
    two = opened(make_remote("two"))
    one.merge_indexes()
    two.merge_indexes()
    reader = make_remote("reader")
    reader.open()
    both = listed(tmp_path)
    assert len(both) == len(reader.indexes) == 2
    assert reader.held(everything(FAN_IN)).ids == everything(FAN_IN)
    next_one = opened(make_remote("next"))
    for n in range(FAN_IN, 2 * FAN_IN):
        claim(next_one, b"%d" % n)
    next_one.merge_indexes()
    assert len(listed(tmp_path)) == 2
    assert both[0] in listed(tmp_path)
    reader.open()
    assert reader.held(everything(2 * FAN_IN)).ids == everything(2 * FAN_IN)


def test_clients_that_end_duplicates_at_once_keep_the_same_one(make_remote, claim, tmp_path):
    clients = [opened(make_remote(name)) for name in ("one", "two")]
    for n in range(FAN_IN):
        claim(clients[0], b"%d" % n)
    clients[1].refresh()
    for client in clients:
        client.merge_indexes()
    for n in range(FAN_IN, 2 * FAN_IN):
        claim(clients[0], b"%d" % n)
    for client in clients:
        client.refresh()
    for client in clients:
        client.merge_indexes()
    reader = make_remote("reader")
    reader.open()
    assert reader.held(everything(2 * FAN_IN)).ids == everything(2 * FAN_IN)
    assert sorted(len(index.packs) for index in reader.indexes) == [FAN_IN] * 3


def test_merges_that_share_most_packs_become_one_that_has_the_rows_of_both(
    make_remote, claim, tmp_path
):
    one = opened(make_remote("one"))
    for n in range(FAN_IN - 1):
        claim(one, b"%d" % n)
    two = opened(make_remote("two"))
    claim(one, b"%d" % (FAN_IN - 1))
    claim(two, b"%d" % FAN_IN)
    one.merge_indexes()
    two.merge_indexes()
    assert len(listed(tmp_path)) == 2
    three = opened(make_remote("three"))
    for n in range(FAN_IN + 1, 2 * FAN_IN + 1):
        claim(three, b"%d" % n)
    three.merge_indexes()
    assert sorted((i.level, len(i.packs)) for i in three.indexes) == [(1, FAN_IN), (1, FAN_IN + 1)]
    reader = make_remote("reader")
    reader.open()
    assert reader.held(everything(2 * FAN_IN + 1)).ids == everything(2 * FAN_IN + 1)


def test_an_index_of_the_same_packs_stays_while_another_lacks_one_of_its_rows(
    make_remote, unsent, claim, tmp_path
):
    """Whatever has taken the row out: it is in what both become."""
    pack, other = unsent(b"one"), unsent(b"two")
    block = PackedBlock(pack.blocks[0].place, other.blocks[0].entries)
    writer = opened(make_remote("writer"))
    writer.add_index([pack])
    writer.add_index([PackInfo(pack.name, pack.size, (block,))])
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    writer.merge_indexes()
    reader = make_remote("reader")
    reader.open()
    ids = {hash_bytes(b"one"), hash_bytes(b"two")}
    assert reader.held(ids).ids == ids


@pytest.mark.parametrize(("clients", "enough"), [(2, 2000), (3, 600)])
def test_a_clone_asks_little_after_very_many_pushes_that_merge_at_once(
    make_remote, claim, tmp_path, clients, enough
):
    """All list, then all push, then all merge what they know: each merge is made by each."""
    storage = open_memory(f"memory://{tmp_path.name}-{clients}")
    remotes = [make_remote(f"{n}", lambda _: storage) for n in range(clients)]
    opened(remotes[0])
    pushes, most = 0, 0
    while pushes < enough:
        for remote in remotes:
            opened(remote)
        for remote in remotes:
            claim(remote, b"%d" % pushes)
            pushes += 1
        for remote in remotes:
            remote.merge_indexes()
        most = max(most, len(storage.list("index")))
    clone = make_remote("clone", lambda _: storage)
    clone.open()
    assert clone.requests < 40
    assert most < 38
    assert clone.held(everything(pushes)).ids == everything(pushes)


class MergedAgain(DirectoryBackend):
    """Each index that is asked for was merged away since it was listed, as often as told."""

    left = 0

    def get(self, key):
        if key.startswith("index/") and MergedAgain.left:
            MergedAgain.left -= 1
            raise NotFound(key)
        return super().get(key)


def test_a_reader_lists_again_while_others_merge_but_not_forever(make_remote, claim, monkeypatch):
    writer = opened(make_remote("writer"))
    claim(writer, b"one")
    monkeypatch.setattr(MergedAgain, "left", 3)
    reader = make_remote("reader", MergedAgain)
    reader.open()
    assert reader.has(hash_bytes(b"one"))
    monkeypatch.setattr(MergedAgain, "left", 1_000)
    with pytest.raises(Exception, match="index/") as caught:
        make_remote("late", MergedAgain).open()
    assert caught.value.hint


def test_clients_that_push_and_merge_at_once_lose_nothing(make_remote, claim):
    opened(make_remote("founder"))
    clients, pushes = 4, 40

    def work(client):
        for n in range(pushes):
            remote = opened(make_remote(f"{client}"))
            claim(remote, b"%d %d" % (client, n))
            remote.merge_indexes()

    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(work, range(clients)))
    reader = make_remote("reader")
    reader.open()
    ids = {hash_bytes(b"%d %d" % (client, n)) for client in range(clients) for n in range(pushes)}
    assert reader.held(ids).ids == ids
    assert len(reader.indexes) < clients * FAN_IN
