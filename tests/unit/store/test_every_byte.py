"""Every byte of a small store flipped and cut off in turn: found, never believed, mended.

The store is made of the golden files: a pack with files, chunks, a recipe and a tree, its index,
and what a lock claims of them.
"""

import os
import shutil
from pathlib import Path

import pytest

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.lock.lock import decode
from pivot.store.check import check
from pivot.store.content import ContentType
from pivot.store.repair import repair, replace_identity
from pivot.store.store import Store

GOLDEN = Path(__file__).parents[2] / "golden"
NAME = "000102030405060708090a0b0c0d0e0f"
FILES = {"pack": "small.pack", "index": "small.idx"}
PATTERNS = (0x01, 0xFF)
REPAIRED = 61  # each so manyth damage is repaired, too: syncing files takes time


@pytest.fixture
def places(tmp_path):
    """Where the pack and the index of a golden store are; its root is above them."""
    root = tmp_path / "store"
    found = {"root": str(root)}
    for kind, folder in {"pack": f"packs/{NAME[:2]}", "index": "index"}.items():
        (root / folder).mkdir(parents=True)
        source = GOLDEN / FILES[kind]
        name = f"{NAME}.pack" if kind == "pack" else f"{index_name()}.idx"
        found[kind] = str(root / folder / name)
        shutil.copy(source, found[kind])
    shutil.copy(GOLDEN / "pivot-store.json", root)
    return found


def index_name():
    return (GOLDEN / "small.idx").read_bytes()[16:32].hex()


def contents():
    """What the golden lock claims: a file that was cut, a small one, and a directory."""
    lock = decode((GOLDEN / "train.lock").read_bytes(), "train.lock")
    return [*lock.deps.values(), *lock.outs.values()]


def read(store, content):
    """The bytes that restoring a content would write, by path; None where that is refused."""
    try:
        if content.type is ContentType.DIRECTORY:
            return {
                str(e.path): None if e.content is None else b"".join(store.stream(e.content))
                for e in store.tree(content)
            }
        return {"": b"".join(store.stream(content))}
    except (IntegrityError, MissingDataError):
        return None


def write(path, data):
    """Put other bytes into a file, which is read-only: as a failing disk would."""
    os.chmod(path, 0o644)
    with open(path, "wb") as f:
        f.write(data)


def is_found(root):
    """Whether reading all of the store tells that something is wrong."""
    try:
        return not check(Store.open(root), read_data=True).is_sound
    except PivotError:
        return True


def assert_never_wrong(root, expected):
    store = Store.open(root)
    for content in contents():
        found = read(store, content)
        assert found is None or found == expected[content.id]


def assert_truthful(root, expected):
    """Sound, and what it says to hold can be read; all that was left is there."""
    store = Store.open(root)
    assert check(store, read_data=True).is_sound
    for content in contents():
        assert store.holds(content) == (read(store, content) is not None)
    assert_never_wrong(root, expected)


@pytest.fixture
def expected(places):
    store = Store.open(places["root"])
    found = {content.id: read(store, content) for content in contents()}
    assert None not in found.values()
    return found


def flips(data):
    for at in range(len(data)):
        for pattern in PATTERNS:
            damaged = bytearray(data)
            damaged[at] ^= pattern
            yield bytes(damaged)


def cuts(data):
    for length in range(len(data)):
        yield data[:length]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("damage", [flips, cuts])
def test_damage_is_found_and_never_believed(places, expected, kind, damage):
    data = Path(places[kind]).read_bytes()
    for harmed in damage(data):
        write(places[kind], harmed)
        assert is_found(places["root"])
        assert_never_wrong(places["root"], expected)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("damage", [flips, cuts])
def test_repairing_makes_a_truthful_store(places, expected, kind, damage):
    root = places["root"]
    shutil.copytree(root, f"{root}.sound")
    data = Path(places[kind]).read_bytes()
    for harmed in list(damage(data))[::REPAIRED]:
        write(places[kind], harmed)
        repair(Store.open(root))
        assert_truthful(root, expected)
        if kind == "index":
            assert all(Store.open(root).holds(content) for content in contents())
        shutil.rmtree(root)
        shutil.copytree(f"{root}.sound", root)


def test_store_file_is_refused_or_names_another_store_and_data_stays(places, expected):
    path = Path(places["root"], "pivot-store.json")
    data = path.read_bytes()
    for harmed in (*flips(data), *cuts(data)):
        write(path, harmed)
        try:
            assert Store.open(places["root"]).id.format == 1
        except IntegrityError:
            assert replace_identity(places["root"]) is not None
        except PivotError:  # a format that looks newer can't be told from one that is
            assert harmed.startswith(b'{"format": ')
            continue
        assert_truthful(places["root"], expected)
        shutil.rmtree(Path(places["root"], "damaged"), ignore_errors=True)


def test_lock_is_refused():
    data = (GOLDEN / "train.lock").read_bytes()
    for harmed in (*flips(data), *cuts(data)):
        with pytest.raises(PivotError) as caught:
            decode(harmed, "train.lock")
        assert caught.value.hint
