"""A push with nothing to do rests on what an earlier one proved, while that holds."""

import copy
import json
import os
import random
import shutil

import pytest

from pivot.errors import MissingDataError
from pivot.paths import RepoPath
from pivot.store.entry import FileName
from pivot.store.identity import STORE_KEY
from pivot.sync import completing
from pivot.sync.push import push
from pivot.transfer import proofs, tombstones
from pivot.transfer.merging import FAN_IN

DATA = RepoPath("data")
MODEL = RepoPath("model.bin")


@pytest.fixture
def looked(monkeypatch):
    """How often a push compared what the roots need with what the remote has."""
    plans = []
    plan = completing.plan_push

    def counting(*args, **options):
        plans.append(args)
        return plan(*args, **options)

    monkeypatch.setattr(completing, "plan_push", counting)
    return plans


@pytest.fixture
def pushed(make_store, make_remote, put_tree):
    """Roots that were pushed."""
    rnd = random.Random(2)
    roots = {DATA: put_tree(make_store(), {f"{n}": rnd.randbytes(500) for n in range(9)})}
    push(make_store(), make_remote(), roots)
    return roots


def folders(tmp_path, name):
    return sorted(os.listdir(tmp_path / "remote" / name))


def test_nothing_to_do_is_two_listings_and_reads_nothing_here(
    make_store, make_remote, pushed, looked, backend, tmp_path
):
    shutil.rmtree(tmp_path / "here" / "packs")
    shutil.rmtree(tmp_path / "here" / "index")
    shutil.rmtree(tmp_path / "cache-me" / "index")
    backend.calls.clear()
    again = push(make_store(), make_remote(), pushed)
    assert sorted(backend.calls) == [("list", "index"), ("list", "tombstones")]
    assert (again.objects, again.bytes, again.requests) == (0, 0, 2)
    assert again.total_objects == 10
    assert looked == []


def test_it_says_how_much_there_is_as_the_push_before_did(make_store, make_remote, put_tree):
    roots = {DATA: put_tree(make_store(), {"a": b"1", "b": b"22"})}
    first = push(make_store(), make_remote(), roots)
    again = push(make_store(), make_remote(), roots)
    assert (again.total_objects, again.total_bytes) == (first.total_objects, first.total_bytes)


def test_a_push_that_found_all_there_proves_it_as_well(make_store, make_remote, pushed, looked):
    push(make_store(), make_remote("other"), pushed)
    push(make_store(), make_remote("other"), pushed)
    assert len(looked) == 1


def test_what_others_push_doesnt_end_it(make_store, make_remote, pushed, put_file, looked):
    push(make_store("two"), make_remote("two"), {MODEL: put_file(make_store("two"), b"model")})
    looked.clear()
    assert push(make_store(), make_remote(), pushed).requests == 2
    assert looked == []


def test_other_roots_have_their_own(make_store, make_remote, pushed, put_file, looked):
    both = {**pushed, MODEL: put_file(make_store(), b"model")}
    assert push(make_store(), make_remote(), both).objects == 1
    assert len(looked) == 1
    push(make_store(), make_remote(), pushed)
    push(make_store(), make_remote(), both)
    assert len(looked) == 1
    moved = {RepoPath("elsewhere"): pushed[DATA]}
    push(make_store(), make_remote(), moved)  # the same content, whatever its path
    assert len(looked) == 1


def test_a_changed_root_is_looked_at(make_store, make_remote, put_file, looked):
    store = make_store()
    push(store, make_remote(), {MODEL: put_file(store, b"one")})
    looked.clear()
    assert push(store, make_remote(), {MODEL: put_file(store, b"two")}).objects == 1
    assert len(looked) == 1


def test_an_index_that_is_gone_ends_it(make_store, make_remote, pushed, looked, tmp_path):
    (name,) = folders(tmp_path, "index")
    (tmp_path / "remote" / "index" / name).unlink()
    assert push(make_store(), make_remote(), pushed).objects == 10
    assert len(looked) == 1


def test_an_index_that_others_merged_away_ends_it_but_nothing_is_sent(
    make_store, make_remote, pushed, put_file, looked, tmp_path
):
    other = make_store("two")
    for n in range(FAN_IN - 1):
        push(other, make_remote("two"), {MODEL: put_file(other, b"%d" % n)})
    assert len(folders(tmp_path, "index")) == 1
    looked.clear()
    assert push(make_store(), make_remote(), pushed).objects == 0
    assert len(looked) == 1
    push(make_store(), make_remote(), pushed)
    assert len(looked) == 1


def test_what_we_merge_ourselves_doesnt_end_it(make_store, make_remote, put_file, looked):
    store = make_store()
    for n in range(FAN_IN):
        roots = {MODEL: put_file(store, b"%d" % n)}
        push(store, make_remote(), roots)
    looked.clear()
    assert push(store, make_remote(), roots).requests == 2
    assert looked == []


def test_a_doomed_pack_ends_it_and_what_it_held_is_sent_again(
    make_store, make_remote, pushed, looked, tmp_path
):
    remote = make_remote()
    remote.open()
    (pack,) = remote.packs
    folder = tmp_path / "remote" / "tombstones"
    folder.mkdir()
    (folder / f"{FileName.fresh()}.json").write_bytes(tombstones.encode(frozenset({pack})))
    assert push(make_store(), make_remote(), pushed).objects == 10
    assert len(looked) == 1
    assert push(make_store(), make_remote(), pushed).objects == 0
    assert len(looked) == 1


def test_a_pack_that_is_doomed_and_not_relied_on_doesnt_end_it(
    make_store, make_remote, pushed, put_file, looked, tmp_path
):
    two = make_remote("two")
    push(make_store("two"), two, {MODEL: put_file(make_store("two"), b"model")})
    looked.clear()
    mine = make_remote()
    mine.open()
    folder = tmp_path / "remote" / "tombstones"
    folder.mkdir()
    relied = proofs.recall(mine._copies, proofs.digest(pushed.values()), _store_id(tmp_path)).packs
    others = frozenset(mine.packs) - relied
    assert len(others) == 1
    (folder / f"{FileName.fresh()}.json").write_bytes(tombstones.encode(others))
    push(make_store(), make_remote(), pushed)
    assert looked == []


def _store_id(tmp_path):
    return json.loads((tmp_path / "remote" / STORE_KEY).read_text())["id"]


def test_another_store_at_the_address_ends_it(make_store, make_remote, pushed, tmp_path):
    shutil.rmtree(tmp_path / "remote")
    assert push(make_store(), make_remote(), pushed).objects == 10


def test_another_store_that_names_the_same_indexes_ends_it(
    make_store, make_remote, pushed, looked, tmp_path
):
    identity = tmp_path / "cache-me" / "remote.json"
    value = json.loads(identity.read_text())
    value["store"]["id"] = "0" * 32
    identity.write_text(json.dumps(value))
    push(make_store(), make_remote(), pushed)
    assert len(looked) == 1


def test_another_address_has_none(make_store, make_remote, pushed, looked, backend, tmp_path):
    (tmp_path / "remote").rename(tmp_path / "elsewhere")
    moved = type(backend.inner)(str(tmp_path / "elsewhere"))
    push(make_store(), make_remote("me", moved), pushed)
    assert len(looked) == 1


def test_a_damaged_one_is_none(make_store, make_remote, pushed, looked, tmp_path):
    (path,) = (tmp_path / "cache-me" / "proofs").iterdir()
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        looked.clear()
        push(make_store(), make_remote(), pushed)
        assert len(looked) == 1
    path.write_bytes(b"")
    push(make_store(), make_remote(), pushed)
    assert len(looked) == 2


def test_nothing_to_push_proves_nothing(make_store, make_remote, tmp_path):
    assert push(make_store(), make_remote(), {}).total_objects == 0
    assert not (tmp_path / "cache-me" / "proofs").exists()
    assert (tmp_path / "remote" / STORE_KEY).exists()


def test_a_push_that_failed_proves_nothing(make_store, make_remote, put_file, tmp_path):
    roots = {MODEL: put_file(make_store("elsewhere"), b"lost")}
    with pytest.raises(MissingDataError):
        push(make_store(), make_remote(), roots)
    assert not (tmp_path / "cache-me" / "proofs").exists()


def test_the_oldest_are_forgotten(make_store, make_remote, put_file, tmp_path, monkeypatch):
    monkeypatch.setattr(proofs, "REMEMBERED", 3)
    store = make_store()
    for n in range(5):
        push(store, make_remote(), {MODEL: put_file(store, b"%d" % n)})
    assert len(list((tmp_path / "cache-me" / "proofs").iterdir())) == 3


def test_the_digest_tells_contents_apart_by_all_that_they_need(put_file, make_store):
    one, two = (put_file(make_store(), data) for data in (b"one", b"two"))
    contents = [
        [one],
        [two],
        [one, two],
        [copy.replace(one, recipe=two.id)],
        [copy.replace(one, recipe=one.id)],
        [],
    ]
    assert len({proofs.digest(roots) for roots in contents}) == len(contents)
    assert proofs.digest([two, one, two]) == proofs.digest([one, two])
