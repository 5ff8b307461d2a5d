"""How what a remote gives lands in the store: adopted packs, sessions, damage, and kills."""

import os
import random
import signal

import pytest

from pivot.errors import IntegrityError
from pivot.store.adoption import Adoption
from pivot.store.check import check, packs_in
from pivot.store.entry import Kind
from pivot.store.pack import open_pack, pack_key, read_blocks
from pivot.store.repair import repair
from pivot.store.store import Store
from pivot.transfer import fetch as fetching
from pivot.transfer import sink as landing
from pivot.transfer.faults import UnreachableError
from pivot.transfer.fetch import Source, Spool, fetch
from pivot.transfer.progress import Meter
from pivot.transfer.push import push
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sink import Sink
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.tracing import Trace, Tracing

WHOLE = 1 << 30  # pushes of so many bytes are packed as large as packs get


@pytest.fixture
def here(tmp_path):
    return Store.open(str(tmp_path / "here"))


@pytest.fixture
def there(tmp_path):
    return Store.open(str(tmp_path / "there"))


@pytest.fixture
def remote(tmp_path):
    trace = Trace()
    backend = Tracing(DirectoryBackend(str(tmp_path / "remote")), trace)
    made = RemoteStore(backend, str(tmp_path / "copies"), trace)
    made.open_to_write()
    return made


@pytest.fixture
def send(here, remote):
    """Send bytes to the remote in one pack; returns their ids, in order."""

    def make(*parts, kind=Kind.DATA):
        with here.writer() as writer:
            ids = [writer.add_bytes(part, kind) for part in parts]
        push(here, remote, [ids], WHOLE)
        return ids

    return make


@pytest.fixture
def bring(there, remote, tmp_path):
    """Fetch entries; returns what was damaged."""

    def call(ids, *, staged=(), share_known=True, meter=None):
        spool = tmp_path / "there/tmp/spool"
        spool.mkdir(exist_ok=True)
        source = Source(remote, Spool(str(spool)), jobs=1)
        at = {id_: remote.find(id_) for id_ in ids}
        beside = {id_: remote.find(id_) for id_ in staged}
        with Sink(there, meter or Meter(None, 0)) as sink:
            damaged = fetch(source, sink, at, staged=beside, share_known=share_known)
        there.refresh()
        assert share_known is False or os.listdir(spool) == []
        return damaged

    return call


def noise(*sizes):
    rnd = random.Random(sum(sizes))
    return [rnd.randbytes(size) for size in sizes]


def pack_of(remote, id_):
    return remote.find(id_).block.pack


def test_a_pack_that_is_wanted_whole_becomes_the_stores_own(send, bring, there, remote, tmp_path):
    parts = noise(*[300_000] * 20, *[5_000] * 800)
    ids = send(*parts)
    seen = []
    size = sum(map(len, parts))
    assert bring(ids, meter=Meter(lambda *of: seen.append(of), size)) == {}
    assert [there.read(id_) for id_ in ids] == parts
    (mine,) = packs_in(there.root)
    assert mine != pack_of(remote, ids[0]), "a name is never used twice"
    theirs = os.stat(tmp_path / "remote" / pack_key(pack_of(remote, ids[0])))
    assert os.stat(os.path.join(there.root, pack_key(mine))).st_size == theirs.st_size
    assert check(there, read_data=True).is_sound
    assert seen[-1] == (size, size)


def test_an_adopted_pack_explains_itself(send, bring, there):
    """So that its index can be made again."""
    ids = send(*noise(*[300_000] * 40))
    bring(ids)
    for index in os.scandir(os.path.join(there.root, "index")):
        os.unlink(index.path)
    again = Store.open(there.root)
    assert not again.has(ids[0])
    repair(again)
    assert all(again.has(id_) for id_ in ids)


def test_a_small_pack_is_joined_with_others(send, bring, there, remote):
    ids = [id_ for n in range(3) for id_ in send(*noise(n + 1, 400_000 + n))]
    assert len({pack_of(remote, id_) for id_ in ids}) == 3
    assert bring(ids) == {}
    assert len(packs_in(there.root)) == 1


def test_a_pack_of_which_something_is_here_is_not_brought_whole_again(send, bring, there, remote):
    parts = noise(*[300_000] * 40)
    ids = send(*parts)
    bring(ids[:2])
    before = remote._trace.counts().received
    assert bring(ids[2:]) == {}
    assert all(there.has(id_) for id_ in ids)
    assert remote._trace.counts().received - before < sum(map(len, parts)) + 100_000
    assert len(packs_in(there.root)) == 2


def test_trees_of_an_adopted_pack_are_not_shown_with_it(here, remote, send, bring, there):
    """What they name may come later."""
    parts = noise(*[300_000] * 40)
    with here.writer() as writer:
        ids = [writer.add_bytes(part) for part in parts]
        tree = writer.add_bytes(b"d " + b"0" * 64 + b" 0 a\0", Kind.TREE)
    push(here, remote, [ids, [tree]], WHOLE)
    assert pack_of(remote, ids[0]) == pack_of(remote, tree)
    bring(ids, staged=[tree])
    (mine,) = packs_in(there.root)
    with open_pack(there.root, mine) as file:
        kinds = {e.kind for block, _ in read_blocks(file, mine) for e in block.entries}
    assert kinds == {Kind.DATA, Kind.TREE}
    assert all(there.has(id_) for id_ in ids)
    assert not there.has(tree)


@pytest.mark.parametrize("number", [0, 20, 39])
def test_of_a_damaged_pack_all_that_is_whole_is_taken(send, bring, there, remote, tmp_path, number):
    parts = noise(*[300_000] * 40)
    ids = send(*parts)
    file = tmp_path / "remote" / pack_key(pack_of(remote, ids[0]))
    data = bytearray(file.read_bytes())
    data[remote.find(ids[number]).block.offset + 77] ^= 1
    file.write_bytes(data)
    seen = []
    damaged = bring(ids, meter=Meter(lambda *of: seen.append(of), 0))
    assert damaged.keys() == {ids[number]}
    assert str(tmp_path / "remote") in damaged[ids[number]].message
    assert [id_ for id_ in ids if not there.has(id_)] == [ids[number]]
    assert seen[-1][0] == 39 * 300_000
    assert check(there, read_data=True).is_sound


@pytest.mark.parametrize("change", [-1000, 1000])
def test_a_pack_of_another_length_than_declared_is_no_trouble(
    send, bring, there, remote, tmp_path, change
):
    """What is beyond the payloads is written anew; what lies before must be there."""
    ids = send(*noise(*[300_000] * 40))
    file = tmp_path / "remote" / pack_key(pack_of(remote, ids[0]))
    size = file.stat().st_size
    os.truncate(file, size + change)
    damaged = bring(ids)
    assert len(damaged) == (1 if change < 0 else 0)
    assert sum(there.has(id_) for id_ in ids) == 40 - len(damaged)
    assert check(there, read_data=True).is_sound


def test_all_but_payloads_is_written_anew(send, bring, there, remote, tmp_path):
    """Heads, tables and checksum of a remote's pack needn't be believed, so may be anything."""
    ids = send(*noise(*[300_000] * 40))
    file = tmp_path / "remote" / pack_key(pack_of(remote, ids[0]))
    whole = file.read_bytes()
    lying = bytearray(b"\xee" * len(whole))
    for id_ in ids:
        block = remote.find(id_).block
        at = slice(block.offset, block.offset + block.stored)
        lying[at] = whole[at]
    file.write_bytes(lying)
    assert bring(ids) == {}
    assert check(there, read_data=True).is_sound


def test_blocks_that_overlap_are_never_adopted(tmp_path, there):
    path = os.path.join(there.root, "tmp", "spooled")
    with open(path, "wb") as file:
        file.write(bytes(1000))
    adoption = Adoption.begin(there.root, path)
    place = type("At", (), {"offset": 900, "stored": 10, "raw": 10, "codec": 0})()
    with pytest.raises(IntegrityError, match="isn't where it should be"):
        adoption.take(place, bytes(10), ())
    adoption.abandon()
    assert not os.path.exists(path)


# -- what a kill leaves -----------------------------------------------------------------------


@pytest.fixture
def killed(bring, there):
    """Fetch in a process that is killed once so many bytes have landed."""

    def run(ids, after):
        pid = os.fork()
        if not pid:
            try:
                meter = Meter(
                    lambda done, _: os.kill(os.getpid(), signal.SIGKILL) if done > after else None,
                    0,
                )
                bring(ids, meter=meter)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
        there.refresh()
        return [id_ for id_ in ids if there.has(id_)]

    return run


def test_after_a_kill_adopted_packs_are_there(send, killed, there):
    first, second = (send(*noise(*[300_000 + n] * 40)) for n in range(2))
    kept = killed([*first, *second], 22_000_000)
    assert len(kept) >= 40
    assert check(there, read_data=True).is_sound


def test_after_a_kill_what_sessions_had_ended_is_there(send, killed, there, monkeypatch):
    monkeypatch.setattr(landing, "SESSION_BYTES", 1_000_000)
    monkeypatch.setattr(fetching, "ADOPTED", 1 << 40)
    ids = send(*noise(*[300_000] * 40))
    kept = killed(ids, 9_000_000)
    assert 24 <= len(kept) < 40
    assert check(there, read_data=True).is_sound


def test_a_failure_keeps_all_that_landed(send, bring, there):
    ids = send(*noise(*[300_000] * 10))
    seen = []

    def fail(done, _):
        seen.append(done)
        if len(seen) == 4:
            raise UnreachableError("the cable")

    with pytest.raises(UnreachableError):
        bring(ids, meter=Meter(fail, 0))
    there.refresh()
    assert sum(there.has(id_) for id_ in ids) >= 4
