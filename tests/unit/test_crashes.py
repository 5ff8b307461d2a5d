"""A process that is killed at each changing call in turn, counted and not sampled.

Afterwards what was there is there, what can be seen is true, and the next try succeeds.
"""

import contextlib
import errno
import io
import os
import shutil
import signal

import pytest

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import hash_bytes
from pivot.landing import Staging
from pivot.lock.declared import Declared
from pivot.lock.folder import list_locks, read_lock, write_lock
from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.placing import PlacingError, fill, place
from pivot.store.check import check
from pivot.store.content import Content, ContentType
from pivot.store.pack import pack_key
from pivot.store.repair import repair
from pivot.store.store import Store

BIG = os.urandom(3 << 19)
OUT = RepoPath("out")


@pytest.fixture
def killed(faults):
    """Runs an action in processes of its own, each killed at the next call; yields after each."""

    def each(action):
        n = 0
        while True:
            pid = os.fork()
            if pid == 0:
                with faults(n, None):
                    action()
                    os._exit(0)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSIGNALED(status):
                assert os.waitstatus_to_exitcode(status) == 0
                return
            assert os.WTERMSIG(status) == signal.SIGKILL
            yield n
            n += 1
            assert n < 200

    return each


def test_a_killed_session_loses_nothing_and_shows_nothing_false(root, killed):
    Store.open(root)
    with Store.open(root).writer() as writer:
        before = writer.add_bytes(b"before")

    def add():
        with Store.open(root).writer() as writer:
            writer.add_bytes(b"small")
            writer.add_stream(io.BytesIO(BIG))

    died = 0
    for _ in killed(add):
        died += 1
        store = Store.open(root)
        assert store.read(before) == b"before"
        small = hash_bytes(b"small")
        if store.has(small):
            assert store.read(small) == b"small"
            break  # the next session has nothing to add
    assert died >= 12
    add()
    assert Store.open(root).read(hash_bytes(b"small")) == b"small"


def test_a_new_store_killed_at_any_call_opens_afterwards(tmp_path, killed):
    for n in killed(lambda: Store.open(str(tmp_path / "new"))):
        Store.open(str(tmp_path / "new")) if n % 2 else None
    with Store.open(str(tmp_path / "new")).writer() as writer:
        id_ = writer.add_bytes(b"data")
    assert Store.open(str(tmp_path / "new")).read(id_) == b"data"


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_killed_checkout_leaves_the_old_the_new_or_nothing_of_a_folder(bench, killed, kind):
    """What is missing in between is in the store: only held data is ever replaced."""
    old = {"out": b"old"} if kind == "file" else {"out/a": b"old", "out/b": b"b"}
    new = {"out": b"new"} if kind == "file" else {"out/a": BIG, "out/c/d": b""}
    bench.write(new)
    with bench.store.writer() as writer:
        content = bench.workspace.store(OUT, writer)
    seen = []

    def check_out():
        place(bench.workspace, bench.state, bench.store, OUT, content)

    for _ in killed(check_out):
        seen.append(bench.look())
        assert seen[-1] in (old, new, *([{}] if kind == "folder" else []), new)
        _clear(bench.root / "out")
        bench.write(old)
    assert old in seen
    check_out()
    assert bench.look() == new


def test_a_killed_repair_loses_nothing_and_the_next_one_mends_the_store(root, killed):
    """A damaged pack, a chunk that is gone, an index that is gone: three things to mend at once."""
    data = [os.urandom(200), b"text " * 40, os.urandom(100)]
    for part in data:
        with Store.open(root).writer() as writer:
            writer.add_bytes(part)
    with Store.open(root).writer() as writer:
        cut = writer.add_stream(io.BytesIO(BIG))
    content = Content(ContentType.FILE, cut.id, cut.size, cut.recipe)
    _harm(root, Store.open(root), content)
    shutil.copytree(root, f"{root}.harmed")
    kept = [hash_bytes(part) for part in data[:2]]
    died = 0
    for _ in killed(lambda: repair(Store.open(root))):
        died += 1
        readable = [id_ for id_ in kept if _can_read(root, id_)]
        assert kept[0] in readable, "whose pack and index are sound"
        repair(Store.open(root))
        store = Store.open(root)
        assert check(store, read_data=True).is_sound
        assert [id_ for id_ in kept if store.has(id_)] == kept
        assert not store.holds(content)
        assert os.listdir(os.path.join(root, "tmp")) == ["in-use"]
        shutil.rmtree(root)
        shutil.copytree(f"{root}.harmed", root)
    assert died >= 15


def _harm(root, store, content):
    """Lose a chunk in the middle of a pack, and the index of the second small entry."""
    chunk, _ = store.recipe(content.recipe).chunks[1]
    place = store.find(chunk).block
    path = os.path.join(root, pack_key(place.pack))
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(place.offset)
        file.write(b"damage")
    (index,) = [i for i in store.indexes if i.find(hash_bytes(b"text " * 40))]
    os.unlink(os.path.join(root, "index", f"{index.name}.idx"))


def _can_read(root, id_):
    try:
        Store.open(root).read(id_)
    except (IntegrityError, MissingDataError):
        return False
    return True


def test_what_a_killed_checkout_left_is_removed_by_a_later_one(bench):
    bench.write({"out": b"data"})
    with bench.store.writer() as writer:
        content = bench.workspace.store(OUT, writer)
    left = bench.root / ".pivot" / "tmp"
    pid = os.fork()
    if pid == 0:
        with Staging.make(str(bench.root)) as staging:
            os.close(staging.create("half", executable=False))
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    (dead,) = left.iterdir()
    bench.write({".pivot/tmp/a.flock": b"", ".pivot/tmp/stage": None})
    with Staging.make(str(bench.root)) as staging:
        alive = left / os.path.basename(staging.path)
        for folder in (alive, dead):
            os.utime(folder, (0, 0))
        place(bench.workspace, bench.state, bench.store, OUT, content)
        assert {path.name for path in left.iterdir()} == {alive.name, "a.flock", "stage"}


def test_a_checkout_with_helping_processes_killed_at_any_call_leaves_the_old_or_nothing(
    bench, killed, monkeypatch
):
    """Whatever of them was killed, and whatever the other one still did."""
    monkeypatch.setattr("pivot.writing.BATCH_FILES", 3)
    monkeypatch.setattr("pivot.placing.BATCH_FILES", 3)
    monkeypatch.setattr("pivot.placing.useful", lambda: 1)
    new = {f"out/{n % 2}/{n}": b"%d" % n for n in range(10)}
    bench.write(new)
    with bench.store.writer() as writer:
        content = bench.workspace.store(OUT, writer)

    def check_out():
        place(bench.workspace, bench.state, bench.store, OUT, content)

    _clear(bench.root / "out")
    bench.write({"out/old": b"old"})
    for _ in killed(check_out):
        assert bench.look() in ({"out/old": b"old"}, {}, new)
        _clear(bench.root / "out")
        bench.write({"out/old": b"old"})
    check_out()
    assert bench.look() == new


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failing_disk_while_adding_what_is_missing_changes_no_file(bench, faults, error):
    new = {"out/a": b"a", "out/b/c": b"c", "out/b/d": BIG}
    bench.write(new)
    with bench.store.writer() as writer:
        content = bench.workspace.store(OUT, writer)
    n = 0
    while True:
        _clear(bench.root / "out")
        bench.write({"out/a": b"mine"})
        with faults(n, error) as seen, contextlib.suppress(PlacingError):
            fill(bench.workspace, bench.state, bench.store, OUT, content)
        found = bench.look()
        assert found["out/a"] == b"mine"
        assert all(found[path] in (None, new[path]) for path in found if path.startswith("out/b/"))
        if n >= len(seen.calls):
            break
        n += 1
    assert n > 8
    assert found == new | {"out/a": b"mine"}


def _clear(path):
    if path.is_dir():
        for inner in path.iterdir():
            _clear(inner)
        path.rmdir()
    elif path.exists():
        path.unlink()


def test_a_killed_lock_write_leaves_the_old_lock_or_the_new(tmp_path, killed):
    folder = str(tmp_path / "stages")

    def lock(code):
        declared = Declared(1, {"m:f": code}, {}, None, {}, RepoPath("."), (), ())
        return Lock(StageName("group/s"), "m:f", declared, {}, {})

    old, new = lock("old"), lock("new")
    write_lock(folder, old)
    died = 0
    for _ in killed(lambda: write_lock(folder, new)):
        died += 1
        assert read_lock(folder, old.stage) in (old, new)
        assert list_locks(folder) == ["group/s"]
    assert died >= 4
    assert read_lock(folder, old.stage) == new


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_a_lock_leaves_the_old_one_or_the_new(tmp_path, faults, error):
    folder = str(tmp_path / "stages")

    def lock(code):
        declared = Declared(1, {"m:f": code}, {}, None, {}, RepoPath("."), (), ())
        return Lock(StageName("s"), "m:f", declared, {}, {})

    old, new = lock("old"), lock("new")
    write_lock(folder, old)
    n, failed, was_hit = 0, 0, True
    while was_hit:
        with faults(n, error) as seen:
            try:
                write_lock(folder, new)
            except OSError:
                failed += 1
        was_hit = n < len(seen.calls)
        assert read_lock(folder, old.stage) in (old, new), n
        assert os.listdir(folder) == ["s.lock"], n
        write_lock(folder, old)
        n += 1
    assert failed >= 4
