"""Collecting: what contents need stays readable, all else goes, and a crash costs nothing."""

import errno
import os
import shutil
import signal

import pytest

from pivot.errors import IntegrityError, MissingDataError
from pivot.gc.collect import plan_collection
from pivot.paths import RepoPath
from pivot.placing import place
from pivot.store.check import check, packs_in
from pivot.store.content import Content, ContentType
from pivot.store.entry import FileName
from pivot.store.pack import pack_key
from pivot.store.store import Store

BIG = 3 << 20


@pytest.fixture
def put(bench):
    """Stores files (bytes by name) as a directory, in a session of its own; returns its content."""

    def store_it(name, files):
        bench.write({f"{name}/{file}": data for file, data in files.items()})
        with bench.store.writer() as writer:
            return bench.workspace.store(RepoPath(name), writer)

    return store_it


def collect(store, contents):
    with store.alone(holder="gc"):
        found = plan_collection(store, contents)
        return found, found.sweep()


def files_of(store, content):
    return {
        str(entry.path): b"".join(store.stream(entry.content))
        for entry in store.tree(content)
        if entry.content is not None
    }


def packs(store):
    return set(packs_in(store.root))


def test_what_is_needed_stays_and_the_rest_goes(bench, put):
    kept_files = {"a": b"kept", "big": os.urandom(BIG), "empty": b"", "sub/b": b"also kept"}
    kept = put("kept", kept_files)
    gone = put("gone", {"a": b"gone", "big": os.urandom(BIG)})
    before = sum(packs_in(bench.store.root).values())
    found, swept = collect(bench.store, [kept])
    assert files_of(bench.store, kept) == kept_files
    assert bench.store.holds(kept)
    assert not bench.store.holds(gone)
    assert before - sum(packs_in(bench.store.root).values()) == swept.bytes
    assert BIG < swept.bytes == found.plan.removed_bytes
    assert swept.packs == len(found.plan.remove) == 1
    assert swept.unfinished is None
    fresh = Store.open(bench.store.root)
    assert files_of(fresh, kept) == kept_files
    with pytest.raises(MissingDataError):
        files_of(fresh, gone)
    assert check(fresh, read_data=True).is_sound


def test_a_half_needed_pack_is_written_anew(bench, put):
    shared = {f"s{n}": b"shared %d " % n * 50 for n in range(40)}
    with bench.store.writer() as writer:
        bench.write({f"all/{name}": data for name, data in shared.items()})
        bench.write({"all/dead": os.urandom(BIG)})
        bench.write({f"part/{name}": data for name, data in shared.items()})
        dead = bench.workspace.store(RepoPath("all"), writer)
        kept = bench.workspace.store(RepoPath("part"), writer)
    (old,) = packs(bench.store)
    found, swept = collect(bench.store, [kept])
    assert found.plan.repack == (old,)
    assert swept.bytes > BIG
    assert old not in packs(bench.store)
    assert files_of(Store.open(bench.store.root), kept) == shared
    assert not Store.open(bench.store.root).holds(dead)
    again, swept = collect(bench.store, [kept])
    assert (again.plan.remove, again.plan.repack, swept.bytes) == ((), (), 0)


def test_a_pack_that_is_mostly_needed_stays_but_what_is_dead_in_it_is_not_had(bench, put):
    with bench.store.writer() as writer:
        bench.write({"kept/big": os.urandom(BIG), "dead/small": b"dead"})
        kept = bench.workspace.store(RepoPath("kept"), writer)
        dead = bench.workspace.store(RepoPath("dead"), writer)
    before = packs(bench.store)
    found, swept = collect(bench.store, [kept])
    assert packs(bench.store) == before
    assert swept.bytes == 0
    assert found.plan.removed_entries == 2
    assert not bench.store.holds(dead)
    assert not Store.open(bench.store.root).holds(dead)


def test_a_collection_with_nothing_to_do_writes_nothing(bench, put):
    kept = put("kept", {"a": b"a", "tiny": b"."})
    before = bench.store.index_names(), packs(bench.store)
    found, swept = collect(bench.store, [kept])
    assert (bench.store.index_names(), packs(bench.store)) == before
    assert (found.plan.removed_entries, swept.packs, swept.bytes) == (0, 0, 0)


def test_without_any_content_the_store_is_empty_afterwards(bench, put):
    put("gone", {"a": b"a", "b": os.urandom(BIG)})
    collect(bench.store, [])
    assert packs(bench.store) == set()
    assert not [entry for index in bench.store.indexes for entry in index.rows()]
    assert os.listdir(os.path.join(bench.store.root, "packs")) == []


def test_planning_changes_nothing(bench, put):
    put("gone", {"a": b"a"})
    before = sorted(os.walk(bench.store.root))
    with bench.store.in_use():
        found = plan_collection(bench.store, [])
    assert found.plan.removed_entries == 2
    assert sorted(os.walk(bench.store.root)) == before


def test_versions_of_a_large_listing_share_what_they_share(bench, put):
    files = {f"{n:05}": b"%d" % n for n in range(3000)}
    first = put("many", files)
    bench.write({"many/01500": b"edited"})
    with bench.store.writer() as writer:
        second = bench.workspace.store(RepoPath("many"), writer)
    assert first.recipe is not None
    assert first.recipe != second.recipe
    collect(bench.store, [second])
    assert files_of(bench.store, second) == files | {"01500": b"edited"}
    assert not bench.store.holds(first)
    collect(bench.store, [second])
    assert files_of(Store.open(bench.store.root), second) == files | {"01500": b"edited"}


def test_entries_that_lie_in_several_packs_stay_once(bench, put):
    kept = put("kept", {"a": b"twice", "pad": os.urandom(BIG)})
    with bench.store.alone(holder="gc"), bench.store.copier() as writer:
        writer.add_bytes(b"twice")
    assert len(packs(bench.store)) == 2
    collect(bench.store, [kept])
    assert len(packs(bench.store)) == 1
    assert files_of(bench.store, kept)["a"] == b"twice"


def test_what_the_store_lacks_is_named_and_costs_nothing(bench, put):
    kept = put("kept", {"a": b"a"})
    absent = Content(kept.type, kept.id.__class__(os.urandom(32)), 5, None, 1)
    found, _ = collect(bench.store, [kept, absent])
    assert found.absent == {absent}
    assert bench.store.holds(kept)


def test_packs_whose_index_was_lost_are_read_again_and_not_taken_for_garbage(bench, put):
    files = {"a": b"a", "big": os.urandom(BIG)}
    kept, gone = put("kept", files), put("gone", {"x": b"x"})
    for name in bench.store.index_names():
        os.unlink(os.path.join(bench.store.root, "index", f"{name}.idx"))
    store = Store.open(bench.store.root)
    assert not store.holds(kept)
    collect(store, [kept])
    assert files_of(store, kept) == files
    assert not store.holds(gone)
    assert len(packs(store)) == 1


def test_a_tree_that_lacks_members_stops_it_before_anything_is_removed(bench, put):
    content = put("kept", {"a": os.urandom(9000)})
    bench.write({"kept/b": b"later"})
    with bench.store.writer() as writer:
        content = bench.workspace.store(RepoPath("kept"), writer)
    first, *_ = sorted(packs(bench.store), key=lambda p: -packs_in(bench.store.root)[p])
    os.unlink(os.path.join(bench.store.root, pack_key(first)))
    before = packs(bench.store), bench.store.index_names()
    with pytest.raises(IntegrityError, match="lacks parts") as caught:
        collect(Store.open(bench.store.root), [content])
    assert "pivot verify" in caught.value.hint
    assert (packs(bench.store), bench.store.index_names()) == before


def test_a_damaged_index_stops_it(bench, put):
    kept = put("kept", {"a": b"a"})
    (name,) = bench.store.index_names()
    path = os.path.join(bench.store.root, "index", f"{name}.idx")
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"\xff\xff")
    with pytest.raises(IntegrityError):
        collect(Store.open(bench.store.root), [kept])
    assert len(packs(bench.store)) == 1


def test_superseded_indexes_and_what_died_sessions_left_go_too(bench, put):
    kept = put("kept", {"a": b"a"})
    (name,) = bench.store.index_names()
    with open(os.path.join(bench.store.root, "index", f"{name}.idx"), "rb") as f:
        old = f.read()
    put("gone", {"b": b"b"})
    os.makedirs(os.path.join(bench.store.root, "tmp", "fetch-dead", "staging"))
    with open(os.path.join(bench.store.root, "tmp", FileName.fresh().hex()), "wb") as f:
        f.write(b"half a pack")
    with open(os.path.join(bench.store.root, "index", ".pivot-tmp-left"), "wb") as f:
        f.write(b"half an index")
    bench.store.replace_indexes(bench.store.indexes, lambda *_: True, level=1)
    with open(os.path.join(bench.store.root, "index", f"{name}.idx"), "wb") as f:
        f.write(old)  # as a power failure can leave it
    collect(bench.store, [kept])
    assert os.listdir(os.path.join(bench.store.root, "tmp")) == ["in-use"]
    assert name not in bench.store.index_names()
    assert len(os.listdir(os.path.join(bench.store.root, "index"))) == 1
    assert files_of(Store.open(bench.store.root), kept) == {"a": b"a"}


def test_a_reader_that_opened_the_store_before_finds_what_was_moved(bench, put):
    with bench.store.writer() as writer:
        bench.write({"kept/a": b"kept" * 99, "dead/big": os.urandom(BIG)})
        kept = bench.workspace.store(RepoPath("kept"), writer)
        bench.workspace.store(RepoPath("dead"), writer)
    reader = Store.open(bench.store.root)
    assert reader.holds(kept)
    collect(bench.store, [kept])
    assert files_of(reader, kept) == {"a": b"kept" * 99}


def _two_versions(bench):
    """What is needed of packs that are kept, half needed and not needed at all."""
    bench.write({f"kept/{n}": b"%d kept " % n * 40 for n in range(5)})
    bench.write({"kept/big": os.urandom(BIG // 2), "dead/big": os.urandom(BIG)})
    with bench.store.writer() as writer:
        kept = bench.workspace.store(RepoPath("kept"), writer)
        bench.workspace.store(RepoPath("dead"), writer)
    bench.write({"dead/more": b"more"})
    with bench.store.writer() as writer:
        bench.workspace.store(RepoPath("dead"), writer)
    return kept


@pytest.fixture
def copies(bench, tmp_path):
    """Copies of a store, each as it was when the fixture was called."""

    def each(n):
        root = str(tmp_path / f"copy{n}")
        shutil.copytree(bench.store.root, root)
        return Store.open(root)

    return each


def test_killed_at_any_call_everything_needed_is_there_and_the_next_try_succeeds(
    bench, faults, copies
):
    """Counted, not sampled: the process dies at its n-th change of the disk, for every n."""
    kept = _two_versions(bench)
    wanted = files_of(bench.store, kept)
    n, status = 0, signal.SIGKILL
    while os.WIFSIGNALED(status):
        store = copies(n)
        pid = os.fork()
        if pid == 0:
            with faults(n, None):
                collect(store, [kept])
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        fresh = Store.open(store.root)
        assert files_of(fresh, kept) == wanted, n
        collect(fresh, [kept])
        assert files_of(Store.open(store.root), kept) == wanted, n
        assert check(fresh, read_data=True).unindexed_packs == ()
        assert len(packs(fresh)) == 1
        n += 1
    assert n > 10
    assert os.waitstatus_to_exitcode(status) == 0
    place(bench.workspace, bench.state, bench.store, RepoPath("back"), kept)
    assert bench.look("back") == wanted


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_at_any_call_loses_nothing(bench, faults, copies, error):
    kept = _two_versions(bench)
    wanted = files_of(bench.store, kept)
    n, failed, left, was_hit = 0, 0, 0, True
    while was_hit:
        store = copies(n)
        with faults(n, error) as seen:
            try:
                _, swept = collect(store, [kept])
                left += swept.unfinished is not None
            except OSError:
                failed += 1
        was_hit = n < len(seen.calls)
        assert files_of(Store.open(store.root), kept) == wanted, n
        collect(store, [kept])
        assert files_of(Store.open(store.root), kept) == wanted, n
        assert len(packs(store)) == 1, n
        n += 1
    assert failed > 3
    assert left > 3


def test_a_repack_of_many_packs_and_indexes_loses_nothing(bench, put, monkeypatch):
    """Indexes that are written on the way must not be merged with those that are to go."""
    monkeypatch.setattr("pivot.store.packer.INDEX_ENTRIES", 10)
    monkeypatch.setattr("pivot.store.writer.BLOCK_SIZE", 400)
    wanted = {f"{n:03}": b"%d wanted " % n * 12 for n in range(300)}
    bench.write({f"kept/{name}": data for name, data in wanted.items()})
    bench.write({f"all/{name}": data for name, data in wanted.items()})
    bench.write({f"all/{n:03}x": os.urandom(300) for n in range(300)})
    with bench.store.writer() as writer:
        bench.workspace.store(RepoPath("all"), writer)
        kept = bench.workspace.store(RepoPath("kept"), writer)
    bench.store.replace_indexes(bench.store.indexes, lambda *_: True, level=0)
    monkeypatch.setattr("pivot.gc.plan.WORTH_KEEPING", 2.0)  # all that is needed is written anew
    found, swept = collect(bench.store, [kept])
    assert len(found.plan.repack) > 15
    assert swept.unfinished is None
    assert files_of(Store.open(bench.store.root), kept) == wanted
    assert check(bench.store, read_data=True).is_sound


@pytest.mark.parametrize("count", [3, 3000])
@pytest.mark.parametrize("order", [iter, reversed])
def test_who_claims_that_a_listing_is_a_file_takes_nothing_from_it(bench, put, count, order):
    """A record on any branch can claim so, with ids that everybody can read."""
    files = {f"{n:05}": b"%d" % n for n in range(count)}
    kept = put("kept", files)
    assert (kept.recipe is not None) == (count > 1000)
    claims = [
        kept,
        Content(ContentType.FILE, kept.id, 10, kept.recipe),
        Content(ContentType.FILE, kept.id, 10),
        Content(ContentType.FILE, kept.recipe or kept.id, 10),
    ]
    collect(bench.store, list(order(claims)))
    assert bench.store.holds(kept)
    assert files_of(Store.open(bench.store.root), kept) == files
    collect(bench.store, claims[1:])
    if bench.store.holds(kept):  # never without its files
        assert files_of(Store.open(bench.store.root), kept) == files


def test_a_damaged_block_in_a_half_needed_pack_is_told_and_left(bench, put):
    with bench.store.writer() as writer:
        bench.write({"kept/a": b"kept " * 99, "dead/big": os.urandom(BIG)})
        kept = bench.workspace.store(RepoPath("kept"), writer)
        bench.workspace.store(RepoPath("dead"), writer)
    (pack,) = packs(bench.store)
    place_ = bench.store.find(next(iter(bench.store.tree(kept))).content.id).block
    path = os.path.join(bench.store.root, pack_key(pack))
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        f.seek(place_.offset + 20)
        f.write(b"damage")
    os.unlink(os.path.join(bench.root, "kept/a"))
    _, swept = collect(Store.open(bench.store.root), [kept])
    assert "pivot verify --repair" in swept.unfinished.hint
    assert packs(bench.store) == {pack}
