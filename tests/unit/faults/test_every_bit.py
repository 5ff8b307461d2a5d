"""Each byte of each object of a remote, damaged in turn: never a wrong byte here, no traceback."""

import random
import shutil
from functools import partial

import pytest

from pivot.errors import ExitCode, IntegrityError, PivotError
from pivot.paths import RepoPath
from pivot.store.entry import FileName
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.transfer import ranges, tombstones
from tests.unit.closure import closure
from tests.unit.storage import Storage
from tests.unit.team import Team, check_storage, check_store, files_of, put_tree

DATA = RepoPath("data")
FILES = {"a": b"some text " * 12, "b": random.Random(1).randbytes(40)}
CODES = {ExitCode.INTEGRITY, ExitCode.FAILED, ExitCode.MISSING}


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """The objects of a small remote, and a push: its roots, what they need, and its pack.

    Beside it lies a doomed pack, which nobody reads.
    """
    team = Team(tmp_path_factory.mktemp("team"))
    store = team.store("here")
    push(store, team.remote("me"), {DATA: put_tree(store, {"gone": b"gone"})})
    (gone,) = (FileName.parse(key[9:41]) for key in packs(team.storage))
    team.storage.put(f"tombstones/{FileName.fresh()}.json", tombstones.encode(frozenset([gone])))
    roots = {DATA: put_tree(store, FILES)}
    push(store, team.remote("me"), roots)
    needed = closure(store, roots.values())
    assert len(packs(team.storage)) == 2
    (read,) = (key for key in packs(team.storage) if str(gone) not in key)
    return dict(team.storage.objects), roots, needed, read


def packs(storage):
    return [key for key in storage.objects if key.startswith("packs/")]


def keys(objects, folder):
    return sorted(key for key in objects if key.startswith(folder))


def flipped(data, step=1):
    """The bytes with a bit of each byte changed in turn."""
    for at in range(0, len(data), step):
        yield data[:at] + bytes([data[at] ^ (1 << at // step % 8)]) + data[at + 1 :]


def resized(data):
    """The bytes cut short, and with something after them."""
    for end in (0, 1, len(data) // 3, len(data) // 2, len(data) - 9, len(data) - 1):
        yield data[:end]
    yield data + b"\0"
    yield data + data
    yield data + bytes(5000)


def read(team, roots):
    """Fetch into an empty store; the error, after it was seen that nothing wrong is here."""
    store = team.store("there")
    error = failure(partial(fetch, store, team.remote("there"), roots, jobs=1))
    if error is None:
        assert files_of(store, roots[DATA]) == FILES
    else:
        assert error.exit_code in CODES
        assert error.hint
        assert not team.store("there").holds(roots[DATA])
    return error


def failure(action):
    try:
        action()
    except PivotError as error:
        return error
    return None


def every_third(data):
    return flipped(data, 3)


def damages(tmp_path, remote, folder, spoil):
    """What a fetch comes to for each damage to each object in a folder."""
    objects, roots, *_ = remote
    team = Team(tmp_path)
    for key in keys(objects, folder):
        for n, data in enumerate(spoil(objects[key])):
            team.storage = Storage({**objects, key: data})
            error = read(team, roots)
            if error is None or n % 50 == 0:
                check_store(team.store("there"))
            if error is None or team.store("there").indexes:
                shutil.rmtree(tmp_path / "there")
            else:
                shutil.rmtree(tmp_path / "there" / "remotes", ignore_errors=True)
            yield key, n, error


@pytest.mark.parametrize(
    ("by", "spoil"),
    [
        ("packs", flipped),
        ("packs", resized),
        ("ranges", every_third),
        ("ranges", resized),
    ],
)
def test_damaged_packs(tmp_path, remote, by, spoil, monkeypatch):
    """What is damaged is named, with an id or a pack; what isn't needed may be damaged."""
    if by == "ranges":
        monkeypatch.setattr(ranges, "SMALL_PACK", 0)
        monkeypatch.setattr(ranges, "REQUEST", 0)
    refused = 0
    for key, _, error in damages(tmp_path, remote, remote[-1], spoil):
        if error is not None:
            refused += 1
            assert isinstance(error, IntegrityError)
            assert key in error.message
            assert "`index/" in error.hint
    assert refused > (3 if spoil is resized else 50)


@pytest.mark.parametrize("spoil", [every_third, resized])
def test_damaged_indexes(tmp_path, remote, spoil):
    """None is ever believed, and the message says which one it is and how to replace it."""
    objects, *_ = remote
    team = Team(tmp_path)
    for key in keys(objects, "index/"):
        for data in spoil(objects[key]):
            team.storage = Storage({**objects, key: data})
            shutil.rmtree(tmp_path / "there", ignore_errors=True)
            client = team.remote("there")
            with pytest.raises(PivotError) as caught:
                client.open()
            assert not client.indexes
            assert not (tmp_path / "there" / "remotes" / "remote" / key).exists()
            assert key.removeprefix("index/").removesuffix(".idx") in caught.value.message
            assert caught.value.exit_code in (ExitCode.INTEGRITY, ExitCode.FAILED)
            assert caught.value.hint


@pytest.mark.parametrize("spoil", [lambda data: flipped(data, 97), resized])
def test_a_fetch_with_damaged_indexes(tmp_path, remote, spoil):
    for *_, error in damages(tmp_path, remote, "index/", spoil):
        assert error is not None


@pytest.mark.parametrize("spoil", [flipped, resized])
def test_a_damaged_store_file(tmp_path, remote, spoil):
    """It is refused, or names a store of another id, in which case what is there is as sound."""
    refused = sum(e is not None for *_, e in damages(tmp_path, remote, "pivot-store.json", spoil))
    assert refused > (10 if spoil is flipped else 3)


@pytest.mark.parametrize("spoil", [flipped, resized])
def test_a_damaged_tombstone_stops_a_push(tmp_path, remote, spoil):
    """Nobody may rely on a pack that is about to go. A reader needs no tombstone.

    Only where its meaning is the same a push may go on: the name of the checksum is damaged, or
    a space.
    """
    objects, roots, needed, _ = remote
    (key,) = keys(objects, "tombstones/")
    refused = total = 0
    team = Team(tmp_path)
    there = team.store("there")
    fetch(there, _remote_of(team, objects), roots)
    for data in spoil(objects[key]):
        total += 1
        team.storage = Storage({**objects, key: data})
        shutil.rmtree(tmp_path / "there" / "remotes", ignore_errors=True)
        error = failure(partial(push, there, team.remote("there"), roots))
        if error is None:
            assert needed <= check_storage(team.storage)
            assert tombstones.decode(data, key, "") == tombstones.decode(objects[key], key, "")
            continue
        refused += 1
        assert error.exit_code in CODES
        assert key in error.message
        assert error.hint
    assert refused >= (0.9 * total if spoil is flipped else 4)


def _remote_of(team, objects):
    team.storage = Storage(objects)
    return team.remote("there")
