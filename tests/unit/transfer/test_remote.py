import json

import pytest

from pivot.errors import IntegrityError, PivotError, UsageError
from pivot.hashing import ObjectId, hash_bytes
from pivot.store.content import Content, ContentType
from pivot.store.entry import FileName
from pivot.store.identity import STORE_KEY
from pivot.store.index import index_key
from pivot.store.indexing import encode, rows_of
from pivot.store.pack import pack_key
from pivot.transfer.faults import PackGoneError
from pivot.transfer.known import obtainable
from pivot.transfer.remote import RemoteStore
from pivot.transfer.tombstones import Tombstone
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import NotFound


def indexes(tmp_path, where="remote"):
    return sorted((tmp_path / where / "index").iterdir())


def test_what_one_client_adds_another_finds(make_remote, add):
    writer = make_remote("writer")
    writer.open_to_write()
    pack = add(writer, b"hello")
    reader = make_remote("reader")
    reader.open()
    place = reader.find(hash_bytes(b"hello"))
    assert place.block.pack == pack.name
    assert reader.read(pack.name, place.block.offset, 5) == b"hello"
    assert reader.pack_size(pack.name) == pack.size


def test_of_a_pack_no_more_is_downloaded_than_its_index_says(make_remote, add, tmp_path):
    remote = make_remote()
    remote.open_to_write()
    pack = add(remote, b"hello")
    remote.download(pack.name, str(tmp_path / "whole"))
    assert (tmp_path / "whole").stat().st_size == pack.size
    with (tmp_path / "remote" / pack_key(pack.name)).open("ab") as file:
        file.write(b"x")
    with pytest.raises(PackGoneError, match="is not whole") as caught:
        remote.download(pack.name, str(tmp_path / "longer"))
    assert f"{pack.size} bytes" in caught.value.why
    assert not (tmp_path / "longer").exists()


def test_an_index_is_fetched_once(make_remote, add):
    writer = make_remote("writer")
    writer.open_to_write()
    add(writer, b"one")
    first = make_remote("reader")
    first.open()
    assert first.requests == 3  # identity, listing, index
    second = make_remote("reader")
    second.open()
    assert second.requests == 1
    assert second.has(hash_bytes(b"one"))


def test_an_index_that_is_no_longer_listed_counts_no_more(make_remote, add, tmp_path):
    writer = make_remote("writer")
    writer.open_to_write()
    add(writer, b"one")
    reader = make_remote("reader")
    reader.open()
    indexes(tmp_path)[0].unlink()
    reader.refresh()
    assert not reader.has(hash_bytes(b"one"))
    assert indexes(tmp_path, "cache-reader") == []


def test_a_damaged_index_is_refused_and_not_kept(make_remote, add, tmp_path):
    writer = make_remote("writer")
    writer.open_to_write()
    add(writer, b"one")
    path = indexes(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    reader = make_remote("reader")
    with pytest.raises(IntegrityError, match=path.name) as caught:
        reader.open()
    assert f"`index/{path.name}`" in caught.value.hint
    assert not (tmp_path / "cache-reader" / "index").exists()


def test_a_damaged_copy_is_fetched_again(make_remote, add, tmp_path):
    writer = make_remote("writer")
    writer.open_to_write()
    add(writer, b"one")
    copy = indexes(tmp_path, "cache-writer")[0]
    copy.write_bytes(b"half")
    again = make_remote("writer")
    again.open()
    assert again.has(hash_bytes(b"one"))
    assert copy.read_bytes() == indexes(tmp_path)[0].read_bytes()


class MergedMeanwhile(DirectoryBackend):
    """The first index that is asked for was merged into another one since it was listed."""

    merge = None

    def get(self, key):
        if key.startswith("index/") and MergedMeanwhile.merge is not None:
            merge, MergedMeanwhile.merge = MergedMeanwhile.merge, None
            merge()
            raise NotFound(key)
        return super().get(key)


def test_an_index_merged_away_since_it_was_listed_is_looked_for_again(make_remote, add, tmp_path):
    writer = make_remote("writer")
    writer.open_to_write()
    packs = [add(writer, b"one"), add(writer, b"two")]

    def merge():
        old = [FileName.parse(path.stem) for path in indexes(tmp_path)]
        name = FileName.fresh()
        sizes = {pack.name: pack.size for pack in packs}
        data = encode(name, dict(rows_of(packs)), sizes, level=1, replaces=old)
        (tmp_path / "remote" / index_key(name)).write_bytes(data)
        (tmp_path / "remote" / index_key(old[0])).unlink()

    MergedMeanwhile.merge = merge
    reader = make_remote("reader", MergedMeanwhile)
    reader.open()
    assert reader.has(hash_bytes(b"one"))
    assert reader.has(hash_bytes(b"two"))
    assert len(reader.indexes) == 1  # the one that is left of the two is replaced


def test_another_store_at_the_same_url_is_not_taken_for_the_old_one(make_remote, add, tmp_path):
    first = make_remote()
    first.open_to_write()
    add(first, b"one")
    (tmp_path / "remote").rename(tmp_path / "moved")
    second = make_remote("second")
    second.open_to_write()
    add(second, b"two")
    again = make_remote()
    again.open()
    assert not again.has(hash_bytes(b"one"))
    assert again.has(hash_bytes(b"two"))


def test_a_store_of_a_newer_format_is_left_alone(make_remote, tmp_path):
    (tmp_path / "remote").mkdir()
    text = json.dumps({"format": 2, "id": "0" * 32})
    (tmp_path / "remote" / STORE_KEY).write_text(text)
    with pytest.raises(PivotError, match="newer"):
        make_remote().open_to_write()


def test_a_url_that_names_nothing_usable_is_an_error_before_anything_is_asked(tmp_path):
    with pytest.raises(UsageError, match="gopher"):
        RemoteStore.at("gopher://somewhere", {}, str(tmp_path))


def test_what_was_listed_is_known_without_the_remote(make_remote, add, tmp_path):
    writer = make_remote()
    writer.open_to_write()
    add(writer, b"one")
    (tmp_path / "remote").rename(tmp_path / "offline")
    known = obtainable(str(tmp_path / "cache-me"))
    assert known(Content(ContentType.FILE, hash_bytes(b"one"), 3))
    assert not known(Content(ContentType.FILE, hash_bytes(b"two"), 3))
    recipe = ObjectId(hash_bytes(b"one"))
    assert known(Content(ContentType.FILE, hash_bytes(b"large"), 9, recipe))


def test_of_a_remote_never_listed_nothing_is_known(tmp_path):
    known = obtainable(str(tmp_path / "nowhere"))
    assert not known(Content(ContentType.FILE, hash_bytes(b"one"), 3))
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def doom(tmp_path):
    """Put a tombstone for a pack."""

    def put(pack, *, deleted):
        folder = tmp_path / "remote" / "tombstones"
        folder.mkdir(exist_ok=True)
        stone = Tombstone(frozenset({pack.name}), deleted=deleted)
        (folder / f"{FileName.fresh()}.json").write_bytes(stone.encode())

    return put


@pytest.mark.parametrize("deleted", [False, True])
def test_what_only_a_doomed_pack_holds_is_not_there_to_stay(make_remote, add, doom, deleted):
    """It can be read until it is deleted, and isn't looked for after that."""
    remote = make_remote()
    remote.open_to_write()
    pack = add(remote, b"one")
    doom(pack, deleted=deleted)
    assert remote.refresh_tombstones()
    id_ = hash_bytes(b"one")
    assert not remote.has(id_)
    assert remote.held([id_]).ids == set()
    assert (remote.find(id_) is None) == deleted
    assert remote.places([id_]).keys() == (set() if deleted else {id_})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_pack_that_stays_comes_before_a_doomed_one(make_remote, add, doom, order):
    remote = make_remote()
    remote.open_to_write()
    packs = [add(remote, b"one") for _ in order]
    doom(packs[order[0]], deleted=False)
    remote.refresh_tombstones()
    id_ = hash_bytes(b"one")
    stays = packs[order[1]].name
    assert remote.has(id_)
    assert remote.find(id_).block.pack == remote.places([id_])[id_].block.pack == stays


def test_tombstones_that_were_listed_once_are_remembered(make_remote, add, doom):
    """A fetch doesn't list them, and shouldn't ask for packs that are known to be gone."""
    remote = make_remote()
    remote.open_to_write()
    pack = add(remote, b"one")
    doom(pack, deleted=True)
    remote.refresh_tombstones()
    again = make_remote()
    again.open()
    assert again.doomed == {pack.name}
    assert again.find(hash_bytes(b"one")) is None
