import os
import random
from pathlib import Path

import pytest

from pivot.errors import MissingDataError
from pivot.hashing import hash_bytes
from pivot.store.pack import pack_key, scan
from pivot.store.store import Store
from pivot.transfer import packing
from pivot.transfer.packing import make_packs


@pytest.fixture
def store(tmp_path):
    return Store.open(str(tmp_path / "store"))


def add(store, parts):
    with store.writer() as writer:
        return [writer.add_bytes(part) for part in parts]


def bytes_of(made):
    return made.source if isinstance(made.source, bytes) else Path(made.source).read_bytes()


def packed(store, folder, groups, **options):
    """The ids of each pack, read from the packs' own account of themselves."""
    found = []
    for made in make_packs(store, str(folder), groups, **options):
        told = scan(bytes_of(made), made.info.name)
        assert told == made.info
        found.append([entry.id for block in told.blocks for entry in block.entries])
    return found


def test_a_block_that_is_needed_whole_is_copied_as_it_stands(store, tmp_path):
    ids = add(store, [b"text %d " % n * 50 for n in range(20)])
    (made,) = make_packs(store, str(tmp_path / "out"), [ids])
    (block,) = made.info.blocks
    here = store.find(ids[0]).block
    with open(os.path.join(store.root, pack_key(here.pack)), "rb") as file:
        stored = os.pread(file.fileno(), here.stored, here.offset)
    assert bytes_of(made)[block.place.offset :][: block.place.stored] == stored


@pytest.mark.parametrize("window", [2, 7, 1000])
def test_a_group_is_packed_before_the_next_one_whatever_it_shares_blocks_with(
    store, tmp_path, monkeypatch, window
):
    monkeypatch.setattr(packing, "WINDOW", window)
    rnd = random.Random(window)
    ids = add(store, [rnd.randbytes(rnd.choice((10, 9000, 70_000))) for _ in range(60)])
    rnd.shuffle(ids)
    groups = [ids[:25], ids[25:26], ids[26:]]
    packs = packed(store, tmp_path / "out", groups, pack_size=50_000)
    assert len(packs) > 5
    order = [
        {id_: n for n, group in enumerate(groups) for id_ in group}[i] for p in packs for i in p
    ]
    assert order == sorted(order)
    assert sorted(id_ for pack in packs for id_ in pack) == sorted(ids)


def test_nothing_to_pack_makes_no_pack(store, tmp_path):
    assert packed(store, tmp_path / "out", [[], []]) == []


def test_what_vanished_meanwhile_is_named_and_leaves_no_file(store, tmp_path):
    (here,) = add(store, [b"here"])
    with pytest.raises(MissingDataError, match=hash_bytes(b"gone").hex()[:12]):
        packed(store, tmp_path / "out", [[here], [hash_bytes(b"gone")]])
    assert os.listdir(tmp_path / "out" / "tmp") == []


@pytest.mark.parametrize(("size", "kind"), [(packing.HELD, bytes), (packing.HELD + 1, str)])
def test_small_packs_are_made_in_memory_and_large_ones_in_files(store, tmp_path, size, kind):
    ids = add(store, [b"one", b"two"])
    (made,) = make_packs(store, str(tmp_path / "out"), [ids], pack_size=size)
    assert type(made.source) is kind
    assert scan(bytes_of(made), made.info.name) == made.info
    assert len(bytes_of(made)) == made.info.size
