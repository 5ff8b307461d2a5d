import io
import json
import os
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.hashing import hash_bytes
from pivot.paths import TreePath
from pivot.store.chunking import THRESHOLD
from pivot.store.content import Content, ContentType
from pivot.store.entry import FileName, Kind, identify
from pivot.store.identity import STORE_KEY
from pivot.store.index import FAN_IN, index_key
from pivot.store.indexing import write_index
from pivot.store.pack import pack_key
from pivot.store.recipe import Recipe
from pivot.store.split import FILE, TREE
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.store.writer import Writer

NOISE = os.urandom(3 << 20)


def put(store, *parts):
    """One session that adds these bytes; their ids."""
    with store.writer() as writer:
        return [writer.add_bytes(part) for part in parts]


def put_file(store, data, form=FILE):
    with store.writer() as writer:
        added = writer.add_stream(io.BytesIO(data), form)
    return Content(ContentType.FILE, added.id, added.size, added.recipe)


def only(folder, suffix):
    """The path of the one file of a kind in a store."""
    found = [
        os.path.join(base, name)
        for base, _, names in os.walk(folder)
        for name in names
        if name.endswith(suffix)
    ]
    assert len(found) == 1
    return found[0]


def damage(path, change):
    with open(path, "rb") as f:
        data = f.read()
    os.chmod(path, 0o644)
    with open(path, "wb") as f:
        f.write(change(data))


# -- opening --------------------------------------------------------------------------------


def test_a_new_store_has_an_id_that_stays(root):
    assert Store.open(root).id == Store.open(root).id
    assert Store.open(root).id.format == 1


def test_two_new_stores_differ(root, tmp_path):
    assert Store.open(root).id != Store.open(str(tmp_path / "other")).id


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"format": "1", "id": "00000000000000000000000000000000"}',
        b'{"format": true, "id": "00000000000000000000000000000000"}',
        b'{"format": 0, "id": "00000000000000000000000000000000"}',
        b'{"format": 1e999, "id": "00000000000000000000000000000000"}',
        b'{"format": 1, "id": "../../etc"}',
        b'{"format": 1, "id": 7}',
    ],
)
def test_a_damaged_store_file_is_refused(store, text):
    with open(os.path.join(store.root, STORE_KEY), "wb") as f:
        f.write(text)
    with pytest.raises(IntegrityError, match="no Pivot store"):
        Store.open(store.root)


def test_a_newer_store_is_refused_by_name(store):
    with open(os.path.join(store.root, STORE_KEY), "w") as f:
        json.dump({"format": 2, "id": "as yet unknown"}, f)
    with pytest.raises(PivotError, match="format 2, newer"):
        Store.open(store.root)


def test_a_store_whose_empty_folders_were_lost_takes_data(store):
    """Copying tools leave out empty folders."""
    for folder in ("packs", "index", "tombstones", "tmp"):
        shutil.rmtree(os.path.join(store.root, folder))
    (id_,) = put(Store.open(store.root), b"data")
    with store.in_use():
        assert Store.open(store.root).read(id_) == b"data"


# -- round trips ----------------------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_what_is_added_reads_back_in_this_process_and_the_next(store, parts):
    ids = put(store, *parts)
    for reader in (store, Store.open(store.root)):
        assert [reader.read(id_) for id_ in ids] == parts


@pytest.mark.parametrize("size", [0, 1, THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, 3 * THRESHOLD])
def test_files_of_any_size_read_back_and_are_cut_above_the_threshold(store, size):
    content = put_file(store, NOISE[:size])
    assert (content.recipe is not None) is (size > THRESHOLD)
    assert b"".join(Store.open(store.root).stream(content)) == NOISE[:size]
    assert content.id == hash_bytes(NOISE[:size])


def test_65536_entries_of_two_bytes_read_back(store):
    """More entries than a block's header can count."""
    parts = [n.to_bytes(2, "little") for n in range(65536)]
    ids = put(store, *parts)
    reader = Store.open(store.root)
    for n in (0, 1, 65534, 65535):
        assert reader.read(ids[n]) == parts[n]


def test_identical_content_is_stored_once(store, files_of):
    content = put_file(store, NOISE)
    before = files_of(store.root)
    assert put_file(Store.open(store.root), NOISE) == content
    assert files_of(store.root) == before


def test_an_edited_file_shares_its_other_chunks(store):
    put_file(store, NOISE)
    with store.writer() as writer:
        writer.add_stream(io.BytesIO(NOISE[: 1 << 20] + b"!" + NOISE[1 << 20 :]))
        assert writer.added_bytes < len(NOISE) / 2


@pytest.mark.parametrize(("size", "files"), [(6, 1), (4, 1), (5, 2), (5, 0), (5, None)])
def test_a_directory_of_other_sizes_than_declared_is_refused(store, size, files):
    file = put_file(store, b"small")
    tree = put_file(store, encode_line(TreeEntry(TreePath("a"), file)), TREE)
    with pytest.raises(IntegrityError, match="other sizes"):
        list(store.tree(Content(ContentType.DIRECTORY, tree.id, size, None, files)))


def test_a_file_with_the_bytes_of_a_listing_is_no_tree(store):
    """Else whoever stores such a file could make a directory seem held that isn't."""
    listing = encode_line(TreeEntry(TreePath("a"), Content(ContentType.FILE, hash_bytes(b"x"), 1)))
    file = put_file(store, listing)
    with store.writer() as writer:
        tree = writer.add_bytes(listing, Kind.TREE)
    assert tree != file.id
    with pytest.raises(IntegrityError, match="another kind"):
        list(store.tree(Content(ContentType.DIRECTORY, file.id, 1, None, 1)))
    assert len(list(store.tree(Content(ContentType.DIRECTORY, tree, 1, None, 1)))) == 1


# -- sessions -------------------------------------------------------------------------------


def test_nothing_is_visible_before_the_session_ends(store):
    with store.writer() as writer:
        id_ = writer.add_bytes(b"data")
        assert writer.has(id_)
        assert not Store.open(store.root).has(id_)
    assert Store.open(store.root).has(id_)
    assert store.has(id_)


def test_an_exception_in_a_session_leaves_the_store_as_it_was(store, files_of):
    put(store, b"before")
    before = files_of(store.root)
    with pytest.raises(KeyError), store.writer() as writer:  # noqa: PT012
        writer.add_stream(io.BytesIO(NOISE))
        raise KeyError
    assert files_of(store.root) == before


def test_an_exception_removes_finished_packs_that_no_index_names(store, files_of, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.PACK_SIZE", 1 << 19)
    before = files_of(store.root)
    with pytest.raises(KeyError), store.writer() as writer:  # noqa: PT012
        writer.add_stream(io.BytesIO(NOISE))
        raise KeyError
    assert files_of(store.root) == before


def test_a_session_without_anything_new_writes_nothing(store, files_of):
    put(store, b"data")
    before = files_of(store.root)
    put(store, b"data")
    assert files_of(store.root) == before


def test_two_writers_at_once_both_keep_their_data(store):
    other = Store.open(store.root)
    with store.writer() as one, other.writer() as two:
        ids = [one.add_bytes(b"mine"), two.add_bytes(b"theirs"), one.add_bytes(b"ours")]
        assert two.add_bytes(b"ours") == ids[2]
    for reader in (store, other, Store.open(store.root)):
        reader.refresh()
        assert [reader.read(id_) for id_ in ids] == [b"mine", b"theirs", b"ours"]


def test_an_index_is_written_in_the_middle_of_a_long_session(store, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.INDEX_ENTRIES", 10)
    monkeypatch.setattr("pivot.store.packer.QUEUE_BYTES", 1 << 20)
    with pytest.raises(KeyError), store.writer() as writer:  # noqa: PT012
        ids = [writer.add_bytes(os.urandom(100_000)) for _ in range(40)]
        raise KeyError
    kept = [id_ for id_ in ids if Store.open(store.root).has(id_)]
    assert kept == ids[: len(kept)]
    assert 10 <= len(kept) < 40


# -- several processes ----------------------------------------------------------------------


def test_a_read_that_misses_lists_again(store):
    assert not store.has(hash_bytes(b"late"))
    (id_,) = put(Store.open(store.root), b"late")
    assert store.read(id_) == b"late"


def test_refresh_sees_the_indexes_of_others(store):
    store.refresh()
    (id_,) = put(Store.open(store.root), b"late")
    assert not store.has(id_)
    store.refresh()
    assert store.has(id_)


def test_an_index_that_is_merged_away_while_it_is_opened_costs_nothing(store, monkeypatch):
    ids = [put(store, bytes([n]))[0] for n in range(3)]
    reader = Store.open(store.root)
    names = reader.index_names()
    listings = iter([[FileName(bytes(16))], names])
    monkeypatch.setattr(Store, "index_names", lambda _: next(listings))
    assert all(reader.has(id_) for id_ in ids)


def test_a_pack_that_was_replaced_since_it_was_seen_is_found_again(store):
    reader = Store.open(store.root)
    (id_,) = put(store, b"data")
    assert reader.has(id_)
    old_pack, old_index = only(store.root, ".pack"), only(store.root, ".idx")
    for path in (old_pack, old_index):
        os.rename(path, path + ".hidden")
    put(Store.open(store.root), b"data")
    assert reader.read(id_) == b"data"


# -- merging --------------------------------------------------------------------------------


def test_sixteen_indexes_become_one_and_the_old_ones_are_unlinked(store):
    ids = [put(store, b"%d" % n)[0] for n in range(FAN_IN)]
    assert [index.level for index in store.indexes] == [1]
    assert store.index_names() == [store.indexes[0].name]
    for reader in (store, Store.open(store.root)):
        assert [reader.read(id_) for id_ in ids] == [b"%d" % n for n in range(FAN_IN)]


def test_sixteen_times_sixteen_indexes_become_one(store, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda fd: None)
    ids = [put(store, b"%d" % n)[0] for n in range(FAN_IN * FAN_IN)]
    assert [index.level for index in Store.open(store.root).indexes] == [2]
    assert all(Store.open(store.root).has(id_) for id_ in ids)


def test_an_interrupted_merge_loses_and_doubles_nothing(store, monkeypatch):
    """Died after the merged index was written: the superseded ones are passed over."""
    monkeypatch.setattr("os.unlink", lambda path: None)
    ids = [put(store, b"%d" % n)[0] for n in range(FAN_IN)]
    reader = Store.open(store.root)
    assert len(reader.index_names()) == FAN_IN + 1
    assert [index.level for index in reader.indexes] == [1]
    assert all(reader.has(id_) for id_ in ids)


def test_a_merge_that_the_disk_refuses_does_not_fail_the_session(store, monkeypatch):
    ids = [put(store, b"%d" % n)[0] for n in range(FAN_IN - 1)]
    with monkeypatch.context() as patch:
        patch.setattr("pivot.store.store.land_index", raising(OSError(28, "no space")))
        ids += put(store, b"last")
    assert all(reader.has(id_) for id_ in ids for reader in (store, Store.open(store.root)))
    put(store, b"later")
    assert 1 in [index.level for index in store.indexes]


def raising(error):
    def fail(*_args, **_options):
        raise error

    return fail


def test_an_index_whose_pack_is_missing_is_not_merged_away(store):
    """It alone tells that something is missing; what was added again is found meanwhile."""
    (id_,) = put(store, b"lost and found")
    (lost,) = store.index_names()
    os.unlink(only(store.root, ".pack"))
    store.refresh()
    assert not store.has(id_)
    put(store, b"lost and found")
    for n in range(FAN_IN - 1):
        put(store, b"%d" % n)
    assert sorted((index.level, index.name == lost) for index in store.indexes) == [
        (0, True),
        (1, False),
    ]
    assert Store.open(store.root).read(id_) == b"lost and found"


# -- damage ---------------------------------------------------------------------------------


def test_every_flipped_byte_of_a_pack_is_detected_or_harmless(store):
    """Never a wrong byte: what an index leads to is verified, whatever the pack's headers say."""
    content = b"some text, " * 30
    (id_,) = put(store, content)
    path = only(store.root, ".pack")
    size = os.path.getsize(path)
    caught, hints = 0, set()
    for at in range(size):
        damage(path, lambda data, at=at: data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            assert Store.open(store.root).read(id_) == content
        except IntegrityError as error:
            hints.add(error.hint)
            caught += 1
        damage(path, lambda data, at=at: data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
    assert caught >= 20
    assert hints == {"Run `pivot verify --repair`"}


def test_every_truncation_of_a_pack_makes_its_data_absent(store):
    (id_,) = put(store, b"text" * 20)
    path = only(store.root, ".pack")
    while size := os.path.getsize(path):
        os.chmod(path, 0o644)
        os.truncate(path, size - 1)
        with pytest.raises((MissingDataError, IntegrityError)):
            Store.open(store.root).read(id_)


def test_a_missing_pack_counts_as_absent_data(store):
    (id_,) = put(store, b"text")
    os.unlink(only(store.root, ".pack"))
    reader = Store.open(store.root)
    assert not reader.has(id_)
    with pytest.raises(MissingDataError, match="not in the cache"):
        reader.read(id_)


def test_a_damaged_index_is_named_with_what_to_do(store):
    (id_,) = put(store, b"text")
    path = only(store.root, ".idx")
    damage(path, lambda data: data[:200] + b"\xff" + data[201:])
    with pytest.raises(IntegrityError, match=os.path.basename(path)[:-4]) as caught:
        Store.open(store.root).has(id_)
    assert caught.value.hint == "Run `pivot verify --repair`"


def test_files_of_other_kinds_in_a_store_are_passed_over(store):
    (id_,) = put(store, b"text")
    for name in ("README.idx", "x.tmp", "A" * 32 + ".idx", ".pivot-tmp-1-x.idx"):
        with open(os.path.join(store.root, "index", name), "wb") as f:
            f.write(b"?")
    assert Store.open(store.root).read(id_) == b"text"


# -- hostile --------------------------------------------------------------------------------


def forged(store, recipe):
    """A content whose recipe was put into the store as it is."""
    with store.writer() as writer:
        id_ = writer.add_bytes(recipe.encode(), Kind.RECIPE)
    return Content(ContentType.FILE, recipe.file, recipe.size, id_)


def test_a_recipe_of_another_file_is_refused(store):
    (part,) = put(store, b"part")
    content = forged(store, Recipe(hash_bytes(b"other"), 4, ((part, 4),)))
    mine = Content(ContentType.FILE, part, 4, content.recipe)
    with pytest.raises(IntegrityError, match="belongs to another file"):
        list(store.stream(mine))


def test_a_recipe_whose_chunks_make_another_file_is_refused(store):
    """Its chunks are true, its claim is not: a tree must not be had this way either."""
    (part,) = put(store, encode_line(TreeEntry(TreePath("evil"), None)))
    size = len(store.read(part))
    lie = forged(store, Recipe(hash_bytes(b"what was reviewed"), size, ((part, size),)))
    with pytest.raises(IntegrityError, match="not what its recipe makes"):
        list(store.stream(lie))
    with pytest.raises(IntegrityError, match="not what its recipe makes"):
        list(store.tree(Content(ContentType.DIRECTORY, lie.id, 0, lie.recipe, 0)))


def test_a_recipe_that_lies_about_a_chunk_size_is_refused(store):
    one, two = put(store, b"part", b"parts")
    lie = forged(store, Recipe(hash_bytes(b"partparts"), 9, ((one, 5), (two, 4))))
    with pytest.raises(IntegrityError, match="another size"):
        list(store.stream(lie))


def test_data_is_not_taken_for_a_recipe(store):
    (id_,) = put(store, Recipe(hash_bytes(b""), 0, ()).encode())
    with pytest.raises(IntegrityError, match="another kind"):
        store.recipe(id_)


def test_an_index_that_leads_to_other_bytes_is_refused(store, tmp_path):
    """A forged index maps the id of one entry to the place of another."""
    good, evil = put(store, b"good", b"evil")
    index = store.indexes[0]
    rows = {good: index.find(evil)}
    root = str(tmp_path / "forged")
    other = Store.open(root)
    pack = index.packs[0][0]
    os.makedirs(os.path.dirname(os.path.join(root, pack_key(pack))))
    os.link(os.path.join(store.root, pack_key(pack)), os.path.join(root, pack_key(pack)))
    name = write_index(root, rows, dict(index.packs))
    assert os.path.exists(os.path.join(root, index_key(name)))
    with pytest.raises(IntegrityError, match="damaged"):
        other.read(good)


# -- grouping -------------------------------------------------------------------------------


def test_texts_do_not_share_frames_with_dense_files(store):
    """Else each text would cost about what it does alone: the frame's window is full of noise."""
    rng = random.Random(1)
    texts = [(f"{n} is a line of a log, and so on\n" * 120).encode() for n in range(64)]
    noise = [rng.randbytes(4000) for _ in range(64)]
    put(store, *(part for pair in zip(texts, noise, strict=True) for part in pair))
    size = os.path.getsize(only(store.root, ".pack"))
    assert size < sum(map(len, noise)) + 0.1 * sum(map(len, texts))
    assert [store.read(hash_bytes(part)) for part in texts + noise] == texts + noise


def test_an_index_never_names_a_tree_before_its_members(store, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.INDEX_ENTRIES", 2)
    rng = random.Random(2)
    members = [b"text" * 40, rng.randbytes(4000), b"more text " * 40, rng.randbytes(4000)]
    entries = [
        TreeEntry(TreePath(f"{n}"), Content(ContentType.FILE, hash_bytes(part), len(part)))
        for n, part in enumerate(members)
    ]
    listing = b"".join(map(encode_line, entries))
    seen = []

    def indexed(name):
        fresh = Store.open(store.root)
        seen.append(
            (fresh.has(identify(listing, Kind.TREE)), [fresh.has(hash_bytes(m)) for m in members])
        )

    with Writer(store.root, known=lambda _: False, indexed=indexed) as writer:
        for part in members:
            writer.add_bytes(part)
        writer.add_bytes(listing, Kind.TREE)
        for n in range(30):  # more than the queue holds, so that indexes are written on the way
            writer.add_bytes(b"after %d " % n * 20_000)
    assert seen[-1] == (True, [True] * 4)
    assert all(all(those) for tree, those in seen if tree)


@pytest.mark.parametrize("kinds", ["text", "dense", "alternating"])
def test_files_are_read_in_the_order_in_which_they_were_stored_without_looking_each_up(
    store, monkeypatch, kinds
):
    """Dense files lie in blocks of their own, and may come between the others."""
    files = [
        os.urandom(2000)
        if kinds == "dense" or (kinds == "alternating" and n % 2)
        else b"%d " % n * 500
        for n in range(200)
    ]
    with store.writer() as writer:
        ids = [writer.add_bytes(data) for data in files]
    looked_up = []
    find = store.find
    monkeypatch.setattr(store, "find", lambda id_: looked_up.append(id_) or find(id_))
    for id_, data in zip(ids, files, strict=True):
        assert store.read_file(Content(ContentType.FILE, id_, len(data))) == data
    assert len(looked_up) < 20
    assert store.read_file(Content(ContentType.FILE, ids[7], len(files[7]))) == files[7]
