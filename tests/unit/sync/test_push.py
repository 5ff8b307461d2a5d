import json
import os
import random
import shutil
from itertools import pairwise

import pytest

from pivot.errors import (
    DeniedError,
    ExitCode,
    IntegrityError,
    MissingDataError,
    PivotError,
    UsageError,
)
from pivot.paths import RepoPath
from pivot.store.entry import FileName, Kind
from pivot.store.pack import pack_key
from pivot.sync.closure import walk
from pivot.sync.fetch import fetch
from pivot.sync.plan import plan_push
from pivot.sync.push import push
from pivot.transfer import push as sending
from pivot.transfer import tombstones
from pivot.transfer.faults import UnreachableError
from pivot.transfer.merging import FAN_IN
from pivot_remotes.errors import AccessDenied, RemoteError, Unreachable

DATA = RepoPath("data")
MODEL = RepoPath("model.bin")


def small_files(count, seed=0):
    rnd = random.Random(seed)
    return {f"{n % 7}/{n:05}.txt": rnd.randbytes(300) for n in range(count)}


def whole(store, remote, content):
    """Whether everything that a root needs is in the remote, asked anew."""
    remote.open()
    closure = walk({DATA: content}, store.read, lambda ids: ())
    return all(remote.has(id_) for id_ in closure)


def test_moves_what_is_missing_and_says_how_much(make_store, make_remote, put_tree):
    store = make_store()
    content = put_tree(store, small_files(20))
    result = push(store, make_remote(), {DATA: content})
    assert result.objects == result.total_objects == 21
    assert result.bytes == result.total_bytes > 20 * 300
    assert result.requests == 6  # identity, is it empty, create, pack, index, tombstones
    assert list(result.as_json()) == [
        "objects",
        "bytes",
        "total_objects",
        "total_bytes",
        "requests",
        "seconds",
    ]
    assert whole(store, make_remote("other"), content)


def test_ten_thousand_small_files_are_a_handful_of_requests(make_store, make_remote, put_tree):
    store = make_store()
    rnd = random.Random(0)
    files = {f"{n:05}": rnd.randbytes(64) for n in range(10_000)}
    roots = {DATA: put_tree(store, files)}
    assert push(store, make_remote(), roots).requests <= 12
    again = push(make_store(), make_remote(), roots)
    assert (again.objects, again.requests) == (0, 2)
    files["00007"] = b"changed"
    after = push(store, make_remote(), {DATA: put_tree(store, files)})
    assert after.objects <= 10
    assert after.requests <= 4
    fresh = make_store("fresh")
    assert fetch(fresh, make_remote("fresh"), roots).requests <= 12


def test_sends_only_what_is_needed(make_store, make_remote, put_tree, put_file):
    """A shared cache leaks nothing: neighbours in a block stay here."""
    store = make_store()
    secret = put_file(store, b"not for sharing")
    files = small_files(5)
    put_tree(store, files | {"private": b"private"})
    content = put_tree(store, files)
    remote = make_remote()
    push(store, remote, {DATA: content})
    assert not remote.has(secret.id)
    assert remote.has(content.id)
    packs = sum(remote.pack_size(p) for p in remote.packs)
    assert packs < 5 * 300 + 2000


def test_everything_that_an_index_names_is_there_before_it(
    make_store, make_remote, put_tree, backend
):
    store = make_store()
    push(store, make_remote(), {DATA: put_tree(store, small_files(40))})
    puts = [key for verb, key in backend.calls if verb.startswith("put")]
    assert [key.split("/")[0] for key in puts] == ["pivot-store.json", "packs", "index"]


@pytest.fixture
def many_packs(monkeypatch):
    """Packs so small that a push of some files needs several indexes."""
    monkeypatch.setattr(sending, "FAN_IN", 2)
    monkeypatch.setattr(
        sending, "make_packs", lambda *args, **_: _make_packs(*args, pack_size=40_000)
    )


_make_packs = sending.make_packs


def big_tree(put_tree, store):
    rnd = random.Random(5)
    files = {f"f{n}": rnd.randbytes(20_000) for n in range(12)}
    return put_tree(store, files | {"cut": rnd.randbytes(1_200_000)})


def test_interrupted_anywhere_it_names_nothing_incomplete_and_goes_on(
    make_store, make_remote, put_tree, backend, many_packs, tmp_path
):
    store = make_store()
    content = big_tree(put_tree, store)
    roots = {DATA: content}
    ids = list(walk(roots, store.read, lambda ids: ()))
    sent = []
    for n in range(1, 100):
        shutil.rmtree(tmp_path / "remote", ignore_errors=True)
        backend.calls.clear()
        backend.before = _failing_at(backend, n)
        try:
            push(make_store(), make_remote(f"a{n}"), roots)
        except PivotError:
            pass
        else:
            break
        backend.before = lambda verb, key: None
        check_promise(make_remote(f"b{n}"), tmp_path, ids, content, store)
        sent.append(push(make_store(), make_remote(f"a{n}"), roots).objects)
        assert whole(store, make_remote(f"c{n}"), content)
    assert len(sent) > 10
    assert len(set(sent)) > 2  # what an index had named is not sent again
    assert sent[0] == len(ids)
    assert all(later <= sooner for sooner, later in pairwise(sent))
    assert sent[-1] == 0


def _failing_at(backend, n):
    def before(verb, key):
        if len(backend.calls) == n:
            raise RemoteError(f"call {n} fails")

    return before


def check_promise(remote, tmp_path, ids, content, store):
    """What an index names is in a pack that is there, and refers to nothing unnamed."""
    if not (tmp_path / "remote" / "index").exists():
        return
    remote.open()
    for id_ in ids:
        place = remote.find(id_)
        if place is not None:
            assert (tmp_path / "remote" / pack_key(place.block.pack)).exists()
    recipes = [e.content for e in store.tree(content) if e.content.recipe is not None]
    for file in recipes:
        if remote.has(file.recipe):
            assert all(remote.has(id_) for id_, _ in store.recipe(file.recipe).chunks)
    if remote.has(content.recipe or content.id):
        assert all(remote.has(id_) for id_ in ids)


def test_two_pushers_at_once_both_end_whole(make_store, make_remote, put_tree, backend):
    """Neither knows of the other: at worst, entries are there twice."""
    one, two = make_store("one"), make_store("two")
    shared = small_files(10)
    a = put_tree(one, shared | {"a": b"a"})
    b = put_tree(two, shared | {"b": b"b"})
    other = []

    def before(verb, key):
        if verb == "put" and key.startswith("index/") and not other:
            other.append(key)
            backend.lock.release()
            other.append(push(two, make_remote("two"), {DATA: b}))
            backend.lock.acquire()

    backend.before = before
    push(one, make_remote("one"), {DATA: a})
    assert len(other) == 2
    assert whole(one, make_remote("three"), a)
    assert whole(two, make_remote("three"), b)


def test_what_only_the_remote_has_is_fine(make_store, make_remote, put_tree):
    store = make_store()
    content = put_tree(store, small_files(3))
    push(store, make_remote(), {DATA: content})
    empty = make_store("empty")
    assert push(empty, make_remote("other"), {DATA: content}).objects == 0


def test_what_is_nowhere_stops_it_before_anything_is_sent(
    make_store, make_remote, put_tree, put_file, backend
):
    store = make_store()
    lost = put_file(make_store("elsewhere"), b"lost")
    with pytest.raises(MissingDataError, match=r"model\.bin") as caught:
        push(store, make_remote(), {DATA: put_tree(store, small_files(3)), MODEL: lost})
    assert caught.value.exit_code is ExitCode.MISSING
    assert not any(key.startswith("packs") for _, key in backend.calls)


def test_a_tree_whose_member_is_nowhere_stops_it(make_store, make_remote, put_tree, put_file):
    store = make_store()
    files = small_files(3)
    put_file(store, b"other")
    content = put_tree(store, files)
    half = make_store("half")
    with half.writer() as writer:
        writer.add_bytes(store.read(content.id, Kind.TREE), Kind.TREE)
    with pytest.raises(MissingDataError, match="data"):
        push(half, make_remote(), {DATA: content})


def test_damaged_bytes_here_are_not_sent(make_store, make_remote, put_file, tmp_path):
    store = make_store()
    content = put_file(store, random.Random(1).randbytes(5000))
    pack = tmp_path / "here" / pack_key(store.find(content.id).block.pack)
    data = bytearray(pack.read_bytes())
    data[store.find(content.id).block.offset + 100] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    remote = make_remote()
    with pytest.raises(IntegrityError, match=content.id.hex()[:12]) as caught:
        push(store, remote, {MODEL: content})
    assert "pivot verify --repair" in caught.value.hint
    assert not (tmp_path / "remote" / "index").exists()
    assert set(os.listdir(tmp_path / "here" / "tmp")) <= {"in-use"}


def test_a_place_with_other_things_is_refused(make_store, make_remote, put_file, tmp_path):
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote" / "thesis.txt").write_text("mine")
    store = make_store()
    with pytest.raises(UsageError, match="not empty") as caught:
        push(store, make_remote(), {MODEL: put_file(store, b"x")})
    assert "thesis.txt" in str(caught.value)
    assert os.listdir(tmp_path / "remote") == ["thesis.txt"]


def test_a_remote_that_was_emptied_is_filled_again(make_store, make_remote, put_file, tmp_path):
    """What this client remembers of the place must not stand in the way."""
    store = make_store()
    roots = {MODEL: put_file(store, b"x")}
    push(store, make_remote(), roots)
    shutil.rmtree(tmp_path / "remote")
    assert push(store, make_remote(), roots).objects == 1
    assert (tmp_path / "remote" / "pivot-store.json").exists()


@pytest.mark.parametrize(
    ("raised", "error", "code"),
    [
        (AccessDenied("no"), DeniedError, ExitCode.DENIED),
        (Unreachable("gone"), UnreachableError, ExitCode.FAILED),
    ],
)
def test_refusals_name_the_remote_and_what_helps(
    make_store, make_remote, put_file, backend, raised, error, code, tmp_path
):
    def before(verb, key):
        raise raised

    backend.before = before
    store = make_store()
    with pytest.raises(error) as caught:
        push(store, make_remote(), {MODEL: put_file(store, b"x")})
    assert caught.value.exit_code is code
    assert str(tmp_path / "remote") in caught.value.message
    assert caught.value.hint


def bury(tmp_path, packs):
    folder = tmp_path / "remote" / "tombstones"
    folder.mkdir(exist_ok=True)
    name = FileName.fresh()
    (folder / f"{name}.json").write_bytes(tombstones.encode(frozenset(packs)))


def test_what_only_a_tombstoned_pack_holds_is_sent_again(
    make_store, make_remote, put_tree, tmp_path
):
    store = make_store()
    content = put_tree(store, small_files(4))
    remote = make_remote()
    push(store, remote, {DATA: content})
    pack = remote.find(content.id).block.pack
    bury(tmp_path, [pack])
    for client in ("me", "newcomer"):
        assert make_remote(client).requests == 0
    assert push(store, make_remote(), {DATA: content}).objects == 5
    newcomer = make_remote("newcomer")
    assert push(store, newcomer, {DATA: content}).objects == 0
    assert newcomer.find(content.id).block.pack != pack


def test_a_pack_doomed_while_we_push_is_not_relied_on(
    make_store, make_remote, put_tree, tmp_path, backend
):
    store = make_store()
    files = small_files(4)
    remote = make_remote()
    push(store, remote, {DATA: put_tree(store, files)})
    pack = next(iter(remote.packs))
    changed = put_tree(store, files | {"new": b"new"})
    backend.before = lambda verb, key: (
        bury(tmp_path, [pack]) if verb == "put" and key.startswith("index/") else None
    )
    again = make_remote()
    assert push(store, again, {DATA: changed}).objects == 6
    assert whole(store, again, changed)


def test_a_tombstone_that_cant_be_read_stops_it(make_store, make_remote, put_file, tmp_path):
    store = make_store()
    roots = {MODEL: put_file(store, b"x")}
    push(store, make_remote(), roots)
    (tmp_path / "remote" / "tombstones").mkdir()
    (tmp_path / "remote" / "tombstones" / "t.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(IntegrityError, match=r"tombstones/t\.json"):
        push(store, make_remote(), roots)


def test_the_plan_moves_nothing(make_store, make_remote, put_tree, backend, put_file):
    store = make_store()
    remote = make_remote()
    push(store, remote, {MODEL: put_file(store, b"model")})
    backend.calls.clear()
    content = put_tree(store, small_files(3))
    plan = plan_push(store, remote, {DATA: content})
    assert (plan.objects, plan.total_objects) == (4, 4)
    assert [len(group) for group in plan.missing] == [3, 0, 0, 1]
    assert backend.calls == []


def test_progress_reaches_its_end(make_store, make_remote, put_tree):
    store = make_store()
    seen = []
    content = put_tree(store, small_files(9))
    push(store, make_remote(), {DATA: content}, progress=lambda *args: seen.append(args))
    done, total = seen[-1]
    assert done == total > 9 * 300


def test_killed_at_any_step_of_a_push_that_merges_it_loses_nothing(
    make_store, make_remote, put_file, backend, tmp_path
):
    store = make_store()
    contents = [put_file(store, b"%d" % n) for n in range(FAN_IN)]
    for content in contents[:-1]:
        push(store, make_remote(), {MODEL: content})
    shutil.copytree(tmp_path / "remote", tmp_path / "before")
    killed = 0
    for n in range(1, 100):
        shutil.rmtree(tmp_path / "remote")
        shutil.copytree(tmp_path / "before", tmp_path / "remote")
        backend.calls.clear()
        backend.before = _killing_at(backend, n)
        try:
            push(make_store(), make_remote(f"a{n}"), {MODEL: contents[-1]})
            break
        except KeyboardInterrupt:
            killed += 1
        backend.before = lambda verb, key: None
        reader = make_remote(f"b{n}")
        reader.open()
        assert all(reader.has(content.id) for content in contents[:-1])
        push(make_store(), make_remote(f"a{n}"), {MODEL: contents[-1]})
        reader.refresh()
        assert all(reader.has(content.id) for content in contents)
    verbs = [(verb, key.split("/")[0]) for verb, key in backend.calls if verb != "get"]
    assert verbs[-3:] == [("list", "tombstones"), ("put", "index"), ("delete_all", "index")]
    assert killed == len(backend.calls)


def _killing_at(backend, n):
    def before(verb, key):
        if len(backend.calls) == n:
            raise KeyboardInterrupt

    return before
