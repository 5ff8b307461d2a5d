import dataclasses
import json

import pytest

from pivot.errors import IntegrityError, MissingDataError, PivotError, UsageError
from pivot.hashing import hash_bytes
from pivot.store.entry import FileName
from pivot.transfer.latest import KEY, Listing
from pivot.transfer.merging import FAN_IN
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import Unsupported


class Unlisted(DirectoryBackend):
    """What a plain HTTP server is: no listing, no writing."""

    @property
    def capabilities(self):
        return dataclasses.replace(super().capabilities, can_list=False, can_write=False)

    def list(self, prefix):
        raise Unsupported("can't list")


@pytest.fixture
def writer(make_remote):
    remote = make_remote("writer", publish=True)
    remote.open_to_write()
    return remote


def published(remote):
    remote.refresh_tombstones()
    remote.publish(anew=True)


def test_what_was_published_is_read_where_nothing_can_be_listed(make_remote, writer, add):
    add(writer, b"one")
    add(writer, b"two")
    published(writer)
    reader = make_remote("reader", Unlisted)
    reader.open()
    place = reader.find(hash_bytes(b"two"))
    assert reader.read(place.block.pack, place.block.offset, 3) == b"two"
    assert reader.requests == 2 + 2 + 1  # identity, latest, indexes, the object
    again = make_remote("reader", Unlisted)
    again.open()
    assert again.requests == 1


def test_tombstones_are_published_too(make_remote, writer, add, tmp_path):
    pack = add(writer, b"one")
    folder = tmp_path / "remote" / "tombstones"
    folder.mkdir()
    text = json.dumps({"format": 1, "packs": [str(pack.name)]})
    (folder / f"{FileName.fresh()}.json").write_text(text)
    published(writer)
    reader = make_remote("reader", Unlisted)
    reader.open()
    assert reader.refresh_tombstones()
    assert reader.doomed == {pack.name}


def test_it_is_written_only_where_that_is_wanted_and_something_changed(
    make_remote, writer, add, tmp_path
):
    add(writer, b"one")
    other = make_remote("other")
    other.open_to_write()
    published(other)
    assert not (tmp_path / "remote" / KEY).exists()
    published(writer)
    before = writer.requests
    published(writer)
    assert writer.requests - before == 3  # listings of tombstones and indexes, a get, no put


@pytest.mark.parametrize("left", [None, b"{", Listing(frozenset(), frozenset()).encode()])
def test_a_lost_damaged_or_outdated_one_is_mended_by_a_push_that_sends_nothing(
    writer, add, tmp_path, left
):
    add(writer, b"one")
    published(writer)
    file = tmp_path / "remote" / KEY
    sound = file.read_bytes()
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    published(writer)
    assert file.read_bytes() == sound


def test_what_others_added_meanwhile_is_published_too(make_remote, writer, add):
    other = make_remote("other")
    other.open_to_write()
    add(other, b"theirs")
    add(writer, b"ours")
    published(writer)
    reader = make_remote("reader", Unlisted)
    reader.open()
    assert reader.has(hash_bytes(b"theirs"))


def test_what_was_merged_since_it_was_read_is_read_again(make_remote, writer, claim, tmp_path):
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    published(writer)

    class Late(Unlisted):
        merged = False

        def get(self, key):
            data = super().get(key)
            if key == KEY and not Late.merged:
                Late.merged = True
                writer.merge_indexes()
                published(writer)
            return data

    reader = make_remote("reader", Late)
    reader.open()
    assert [index.level for index in reader.indexes] == [1]
    assert Late.merged


def test_an_outdated_one_is_an_error_not_an_empty_remote(make_remote, writer, claim):
    for n in range(FAN_IN):
        claim(writer, b"%d" % n)
    published(writer)
    writer.merge_indexes()
    with pytest.raises(MissingDataError, match="index/") as caught:
        make_remote("reader", Unlisted).open()
    assert "`pivot push`" in caught.value.hint
    assert "`publish = true`" in caught.value.hint


def test_where_none_was_published_it_says_what_to_do(make_remote, add, tmp_path):
    writer = make_remote("writer")
    writer.open_to_write()
    add(writer, b"one")
    with pytest.raises(UsageError, match="can't be listed") as caught:
        make_remote("reader", Unlisted).open()
    assert "publish = true" in caught.value.hint
    assert KEY in caught.value.why


def test_what_can_only_be_read_is_not_pushed_to(make_remote, writer, add):
    published(writer)
    with pytest.raises(UsageError, match="can only be read"):
        make_remote("reader", Unlisted).open_to_write()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"format": 1, "indexes": ["zz"], "tombstones": []}',
        b'{"format": 1, "indexes": [3], "tombstones": []}',
        b'{"format": 1, "indexes": [], "tombstones": [null]}',
        b'{"format": 1, "indexes": {}, "tombstones": []}',
        b'{"format": 1, "indexes": []}',
        *(b'{"format": %s, "indexes": [], "tombstones": []}' % v for v in (b"0", b"true", b'"1"')),
    ],
)
def test_a_damaged_one_is_named(data):
    with pytest.raises(IntegrityError, match=r"latest\.json in /remote"):
        Listing.decode(data, "/remote")


def test_a_newer_one_is_not_guessed_at():
    with pytest.raises(PivotError, match="newer"):
        Listing.decode(b'{"format": 2, "indexes": [], "tombstones": []}', "/remote")


def test_what_was_written_is_read():
    listing = Listing(
        frozenset({FileName.fresh(), FileName.fresh()}), frozenset({"tombstones/a.json"})
    )
    assert Listing.decode(listing.encode(), "/remote") == listing


def test_publishing_is_an_option_of_any_remote(tmp_path):
    def at(value):
        return RemoteStore.at(str(tmp_path / "remote"), {"publish": value}, str(tmp_path / "cache"))

    remote = at("true")
    remote.open_to_write()
    published(remote)
    assert (tmp_path / "remote" / KEY).exists()
    with pytest.raises(UsageError, match="publish"):
        at("maybe")
