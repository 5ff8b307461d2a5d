"""The formats, byte for byte: what today's code writes and reads is what stands in tests/golden.

A change of these files is a change of the format: it needs a new version number, and code that
reads the old one. `docs/format.md` explains the same files.
"""

import hashlib
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3

from pivot.hashing import ObjectId, hash_bytes
from pivot.lock.code import code_digest
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock, decode
from pivot.lock.observed import Observed, names_hash, variable_hash
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName, TreePath
from pivot.store.chunking import TREES, cut
from pivot.store.codec import Codec
from pivot.store.content import Content, ContentType
from pivot.store.entry import Entry, FileName, Kind, identify
from pivot.store.identity import StoreId
from pivot.store.indexing import encode, rows_of
from pivot.store.pack import PackWriter, pack_key, scan
from pivot.store.recipe import Recipe, recipe_id
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line, parse
from pivot.track import pvt

GOLDEN = Path(__file__).parents[1] / "golden"
PACK = FileName(bytes.fromhex("000102030405060708090a0b0c0d0e0f"))
INDEX = FileName(bytes.fromhex("101112131415161718191a1b1c1d1e1f"))
REPLACED = FileName(bytes.fromhex("202122232425262728292a2b2c2d2e2f"))

HELLO = b"hello\n"
RUN = b"#!/bin/sh\necho hi\n"
CHUNKS = (b"first chunk, ", b"last chunk")
CUT = b"".join(CHUNKS)
TEXT = b"the same words again and again, " * 8
STREAM_SIZE = 8 << 20

RECIPE = Recipe(
    hash_bytes(CUT), len(CUT), tuple((hash_bytes(chunk), len(chunk)) for chunk in CHUNKS)
)
TREE = (
    TreeEntry(TreePath("data/cut.bin"), Content(
        ContentType.FILE, RECIPE.file, len(CUT), recipe_id(RECIPE.encode()))),
    TreeEntry(TreePath("data/empty.txt"), Content(ContentType.FILE, hash_bytes(b""), 0)),
    TreeEntry(TreePath("hello.txt"), Content(ContentType.FILE, hash_bytes(HELLO), 6)),
    TreeEntry(TreePath("nothing"), None),
    TreeEntry(TreePath("run.sh"), Content(ContentType.EXECUTABLE, hash_bytes(RUN), len(RUN))),
    TreeEntry(TreePath("über.txt"), Content(ContentType.FILE, hash_bytes(TEXT), len(TEXT))),
)  # fmt: skip
LISTING = b"".join(map(encode_line, TREE))
FOLDER = Content(
    ContentType.DIRECTORY,
    identify(LISTING, Kind.TREE),
    sum(entry.content.size for entry in TREE if entry.content),
    files=5,
)


def golden(name):
    return (GOLDEN / name).read_bytes()


def the_lock():
    declared = Declared(
        scheme=1,
        code={"pipeline:train": "5e" * 32, "features.scaling:scale": "a1" * 32},
        packages={"python": "3.13", "pandas": "2.3.3"},
        params={"rate": 0.1, "größe": [1, 2.0, None], "deep": {"b": True, "a": "x\ny"}},
        env={"LANG": "C"},
        cwd=RepoPath("."),
        deps=(RepoPath("train.csv"),),
        outs=(
            OutSpec(RepoPath("metrics.json"), OutKind.METRIC),
            OutSpec(RepoPath("model"), OutKind.OUT),
        ),
    )
    return Lock(
        stage=StageName("train"),
        root="pipeline:train",
        declared=declared,
        deps={
            RepoPath("train.csv"): Content(
                ContentType.FILE, RECIPE.file, len(CUT), recipe_id(RECIPE.encode())
            )
        },
        outs={
            RepoPath("metrics.json"): Content(ContentType.FILE, hash_bytes(HELLO), 6),
            RepoPath("model"): FOLDER,
        },
        secrets=("token",),
    )


def the_recorded_lock():
    """With all that stages say of code by hand, and without a run."""
    lock = the_lock()
    code = {"pipeline:train": "5e" * 32, "./sql/q.sql": "0d" * 32, "lib:log": "ignored"}
    return replace(
        lock,
        declared=replace(lock.declared, code=code, version=2),
        extra=("./sql/*.sql", "plugins.fancy:transform"),
        recorded=True,
    )


def the_observed_lock():
    code = {"plugins.fast:<module>": "b2" * 32, "features.steps:scale": "a1" * 32}
    env = {"REGION": variable_hash("Zürich"), "MODE": None}
    files = {RepoPath("override.yaml"): None, RepoPath("data/größe.csv"): str(hash_bytes(HELLO))}
    return replace(the_lock(), observed=Observed(code, env, files))


def the_imported_lock():
    """With packages that only a run imported, and folders that it listed."""
    files = {RepoPath("data/x.csv"): str(hash_bytes(HELLO))}
    folders = {
        RepoPath("data"): names_hash(["größe.csv", "x.csv", "\udcff"]),
        RepoPath.ROOT: names_hash([]),
        RepoPath("absent"): None,
    }
    packages = {"pyyaml": "6.0.2", "scikit-learn": "1.7.0"}
    observed = Observed(files=files, folders=folders, packages=packages)
    return replace(the_lock(), observed=observed)


def stream():
    """8 MiB that any language can make: BLAKE3's extended output for the text below."""
    return blake3(b"pivot golden stream").digest(length=STREAM_SIZE)


def entry(data, kind=Kind.DATA):
    return Entry(identify(data, kind), kind, len(data))


def write_pack(root, frame):
    """The golden pack; `frame` is its compressed block, whose bytes depend on zstd's version."""
    small = (HELLO, b"", RUN, *CHUNKS)
    writer = PackWriter.open(root, name=PACK)
    writer.append(Codec.RAW, b"".join(small), len(b"".join(small)), [entry(s) for s in small])
    writer.append(Codec.ZSTD, frame, len(TEXT), [entry(TEXT)])
    recipe = RECIPE.encode()
    members = [entry(recipe, Kind.RECIPE), entry(LISTING, Kind.TREE)]
    writer.append(Codec.RAW, recipe + LISTING, len(recipe + LISTING), members)
    return writer.finish()


def frame_of(pack):
    place = scan(pack, PACK).blocks[1].place
    return pack[place.offset : place.offset + place.stored]


@pytest.fixture
def golden_store(tmp_path):
    """A store put together from the golden files alone."""
    root = tmp_path / "golden-store"
    (root / "packs" / "00").mkdir(parents=True)
    (root / "index").mkdir()
    shutil.copy(GOLDEN / "pivot-store.json", root / "pivot-store.json")
    shutil.copy(GOLDEN / "small.pack", root / "packs" / "00" / f"{PACK}.pack")
    shutil.copy(GOLDEN / "small.idx", root / "index" / f"{INDEX}.idx")
    return Store.open(str(root))


def test_a_store_file_is_written_as_it_was():
    assert StoreId("303132333435363738393a3b3c3d3e3f", 1).encode() == golden("pivot-store.json")


def test_a_pack_is_written_as_it_was(tmp_path):
    store = Store.open(str(tmp_path / "store"))
    write_pack(store.root, frame_of(golden("small.pack")))
    with open(os.path.join(store.root, pack_key(PACK)), "rb") as f:
        assert f.read() == golden("small.pack")


def test_an_index_is_written_as_it_was():
    data = golden("small.pack")
    info = scan(data, PACK)
    rows = dict(rows_of([info]))
    made = encode(INDEX, rows, {PACK: len(data)}, level=1, replaces=[REPLACED])
    assert made == golden("small.idx")


def test_a_recipe_is_written_and_read_as_it_was():
    assert RECIPE.encode() == golden("file.recipe")
    assert Recipe.decode(golden("file.recipe")) == RECIPE


def test_a_tree_is_written_and_read_as_it_was():
    assert golden("directory.tree") == LISTING
    assert tuple(parse([golden("directory.tree")])) == TREE


def test_a_lock_is_written_and_read_as_it_was():
    assert the_lock().encode() == golden("train.lock")
    assert decode(golden("train.lock"), "golden") == the_lock()


def test_a_lock_that_tells_its_sources_is_written_and_read_as_it_was():
    lock = replace(the_lock(), sources="7e" * 32)
    assert lock.encode() == golden("sources.lock")
    assert decode(golden("sources.lock"), "golden") == lock
    assert lock.key == the_lock().key


def test_a_lock_with_what_was_said_by_hand_is_written_and_read_as_it_was():
    assert the_recorded_lock().encode() == golden("recorded.lock")
    assert decode(golden("recorded.lock"), "golden") == the_recorded_lock()


def test_a_lock_with_what_was_observed_is_written_and_read_as_it_was():
    assert the_observed_lock().encode() == golden("observed.lock")
    assert decode(golden("observed.lock"), "golden") == the_observed_lock()
    assert the_observed_lock().key == the_lock().key


def test_a_lock_with_packages_and_folders_of_a_run_is_written_and_read_as_it_was():
    assert the_imported_lock().encode() == golden("imported.lock")
    assert decode(golden("imported.lock"), "golden") == the_imported_lock()
    assert the_imported_lock().key == the_lock().key


def test_a_tracked_directory_is_written_and_read_as_it_was():
    assert pvt.encode("raw", FOLDER) == golden("raw.pvt")
    assert pvt.decode(golden("raw.pvt"), "data/raw.pvt") == FOLDER


def test_keys_are_what_they_were():
    assert json.loads(golden("keys.json")) == keys()


def keys():
    lock = the_lock()
    return {
        "hello.txt": hash_bytes(HELLO).hex(),
        "recipe": recipe_id(RECIPE.encode()).hex(),
        "tree": identify(LISTING, Kind.TREE).hex(),
        "code": code_digest(lock.declared.code).hex(),
        "static key": lock.declared.static_key.hex(),
        "key": lock.key.hex(),
    }


def test_chunks_are_cut_where_they_were():
    """Golden vectors guard upgrades of the chunker: another cut ends all deduplication."""
    assert json.loads(golden("chunks.json")) == chunk_vectors()


def chunk_vectors():
    data = stream()
    return {
        "stream_sha256": hashlib.sha256(data).hexdigest(),
        "lengths": [len(chunk) for chunk in cut(io.BytesIO(data))],
        "listing_lengths": [len(c) for c in cut(io.BytesIO(data[: 1 << 20]), TREES)],
        "zeros_2_mib_and_5": [len(chunk) for chunk in cut(io.BytesIO(bytes((2 << 20) + 5)))],
    }


def test_a_store_of_golden_files_gives_back_everything(golden_store):
    assert golden_store.id.text == "303132333435363738393a3b3c3d3e3f"
    for data in (HELLO, b"", RUN, *CHUNKS, TEXT):
        assert golden_store.read(hash_bytes(data)) == data
    assert golden_store.read(FOLDER.id, Kind.TREE) == LISTING
    assert tuple(golden_store.tree(FOLDER)) == TREE
    assert b"".join(golden_store.stream(TREE[0].content)) == CUT
    (index,) = golden_store.indexes
    assert (index.level, index.replaces) == (1, (REPLACED,))
    assert golden_store.read(ObjectId(hash_bytes(TEXT))) == TEXT
