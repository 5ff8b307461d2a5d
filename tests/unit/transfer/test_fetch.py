"""How what a remote gives lands in the store: ranges, sessions, damage, and kills."""

import os
import random
import signal
from itertools import pairwise

import pytest

from pivot.store.check import check, packs_in
from pivot.store.entry import Kind
from pivot.store.pack import pack_key
from pivot.store.store import Store
from pivot.transfer import ranges
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

    def call(ids, *, share_known=True, meter=None, jobs=1):
        spool = tmp_path / "there/tmp/spool"
        spool.mkdir(exist_ok=True)
        source = Source(remote, Spool(str(spool)), jobs=jobs)
        at = {id_: remote.find(id_) for id_ in ids}
        with Sink(there, meter or Meter(None, 0)) as sink:
            damaged = fetch(source, sink, at, share_known=share_known)
        there.refresh()
        assert share_known is False or os.listdir(spool) == []
        return damaged

    return call


def noise(*sizes):
    rnd = random.Random(sum(sizes))
    return [rnd.randbytes(size) for size in sizes]


def pack_of(remote, id_):
    return remote.find(id_).block.pack


def test_a_pack_that_is_wanted_whole_is_written_once(send, bring, there, remote):
    parts = noise(*[300_000] * 20, *[5_000] * 800)
    ids = send(*parts)
    seen = []
    size = sum(map(len, parts))
    assert bring(ids, meter=Meter(lambda *of: seen.append(of), size)) == {}
    assert [there.read(id_) for id_ in ids] == parts
    (mine,) = packs_in(there.root)
    assert mine != pack_of(remote, ids[0]), "a name is never used twice"
    size_there = os.stat(os.path.join(there.root, pack_key(mine))).st_size
    assert size_there == remote.pack_size(pack_of(remote, ids[0])), "blocks are copied as they are"
    assert check(there, read_data=True).is_sound
    assert seen[-1] == (size, size)


def test_what_a_range_holds_stays_in_a_row(send, bring, there, remote, monkeypatch):
    """So that reading a file goes through its pack from here to there."""
    monkeypatch.setattr(ranges, "LONGEST", 4_000_000)
    ids = send(*noise(*[300_000 + n for n in range(40)]))
    before = remote.requests
    assert bring(ids, jobs=4) == {}
    assert remote.requests - before == 4
    at = [there.find(id_).block.offset for id_ in ids]
    assert sum(one > two for one, two in pairwise(at)) <= 6


def test_without_ranges_a_pack_is_brought_whole(send, bring, there, remote, monkeypatch):
    monkeypatch.setattr(RemoteStore, "has_ranges", False)
    parts = noise(*[300_000] * 40)
    ids = send(*parts)
    before = remote._trace.counts()
    assert bring(ids[::2]) == {}
    assert remote.requests - before.requests == 1
    assert remote._trace.counts().received - before.received == remote.pack_size(
        pack_of(remote, ids[0])
    )
    assert [there.read(id_) for id_ in ids[::2]] == parts[::2]


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
    """What is beyond the payloads isn't read; what lies before must be there."""
    ids = send(*noise(*[300_000] * 40))
    file = tmp_path / "remote" / pack_key(pack_of(remote, ids[0]))
    size = file.stat().st_size
    os.truncate(file, size + change)
    damaged = bring(ids)
    assert (change < 0) == bool(damaged)
    assert sum(there.has(id_) for id_ in ids) == 40 - len(damaged)
    assert check(there, read_data=True).is_sound


def test_of_a_pack_nothing_is_believed_but_payloads(send, bring, there, remote, tmp_path):
    """Heads, tables and checksum of a remote's pack may be anything: they are written anew."""
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


@pytest.mark.parametrize(
    "limits", [{"SESSION_BYTES": 1_000_000}, {"SESSION_S": 0.0, "_WORTH_A_PACK": 1_000_000}]
)
def test_after_a_kill_what_sessions_had_ended_is_there(send, killed, there, limits, monkeypatch):
    for name, limit in limits.items():
        monkeypatch.setattr(landing, name, limit)
    ids = send(*noise(*[300_000] * 40))
    kept = killed(ids, 9_000_000)
    assert 24 <= len(kept) < 40
    assert check(there, read_data=True).is_sound


def test_a_failure_keeps_all_that_landed(send, bring, there):
    ids = send(*noise(*[300_000] * 40))
    seen = []

    def fail(done, _):
        seen.append(done)
        if len(seen) == 4:
            raise UnreachableError("the cable")

    with pytest.raises(UnreachableError):
        bring(ids, meter=Meter(fail, 0))
    there.refresh()
    assert sum(there.has(id_) for id_ in ids) >= 28
