"""A push and a fetch that are killed at each call of the storage, and at each call of the disk.

Every process dies by SIGKILL, so nothing is tidied up: what is on the disks is all that is left.
"""

import itertools
import os
import random
import shutil
import signal

import pytest

from pivot.paths import RepoPath
from pivot.store.check import check
from pivot.store.dangling import dangling
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.transfer import push as sending
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.faulty import Faulty
from tests.unit.closure import closure
from tests.unit.storage import Storage
from tests.unit.team import check_storage, files_of, put_tree

DATA = RepoPath("data")
OTHER = RepoPath("other")
_RANDOM = random.Random(3)
FILES = {f"f{n}": _RANDOM.randbytes(15_000) for n in range(9)} | {
    "cut": _RANDOM.randbytes(1_100_000)
}
MORE = FILES | {"late": b"late"}


@pytest.fixture
def here(team):
    """The store that has everything, and what it has of it."""
    store = team.store("here")
    return store, {DATA: put_tree(store, FILES), OTHER: put_tree(store, MORE)}


@pytest.fixture
def many_packs(monkeypatch):
    """Packs so small, and so few to an index, that a push needs several indexes."""
    make_packs = sending.make_packs
    monkeypatch.setattr(sending, "FAN_IN", 2)
    monkeypatch.setattr(
        sending, "make_packs", lambda *args, **_: make_packs(*args, pack_size=100_000)
    )


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def survived(action):
    """Run an action in a process of its own; whether it lived to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


class Deadly:
    """A backend that kills its process right before, or right after, call `number`."""

    def __init__(self, inner, number, when):
        self._inner = inner
        self._numbers = itertools.count()
        self._number = number
        self._when = when

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args):
            is_last = next(self._numbers) == self._number
            if is_last and self._when == "before":
                die()
            result = found(*args)
            if is_last:
                die()
            return result

        return call


def stored(folder):
    """The objects of a directory that is a remote."""
    return Storage(
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".pivot-tmp-")
        }
    )


class Measured(Faulty):
    """Notes how many bytes of packs were sent."""

    sent = 0

    def __init__(self, inner):
        super().__init__(inner, lambda call: None)

    def put(self, key, data):
        self.sent += len(data) * key.startswith("packs/")
        super().put(key, data)


def check_left(store):
    """What a dead process left in a store is sound; it may have left something too much."""
    assert check(store, read_data=True).is_sound
    assert not dangling(store)


def check_push_goes_on(team, store, roots, name):
    """The remote is right; the next push sends what no index had named, and a newcomer has it."""
    folder = team.folder / name
    needed = closure(store, roots.values())
    visible = check_storage(stored(folder)) & needed
    check_left(team.store("here"))
    measured = Measured(DirectoryBackend(str(folder)))
    done = push(store, team.remote(name, measured), roots)
    assert done.objects == len(needed - visible)
    assert measured.sent <= sum(_size(store, id_) for id_ in needed - visible) + 20_000
    assert check_storage(stored(folder)) >= needed
    return len(visible)


def _size(store, id_):
    return store.find(id_).size


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_push_killed_at_each_call_of_the_storage(team, here, many_packs, when):
    """Indexes come every few packs: what one had named is not sent again."""
    store, roots = here
    kept = []
    for n in range(100):
        team.remote(f"{n}", backend := DirectoryBackend(str(team.folder / f"{n}"))).open_to_write()

        def run(n=n, backend=backend):
            push(store, team.remote(f"{n}", Deadly(backend, n, when)), roots, jobs=1)

        if survived(run):
            break
        kept.append(check_push_goes_on(team, store, roots, f"{n}"))
        if n % 5 == 0:
            there = team.store(f"new{n}")
            fetch(there, team.remote(f"new{n}", backend), roots)
            assert files_of(there, roots[OTHER]) == MORE
        shutil.rmtree(team.folder / f"{n}")
    assert len(kept) >= 10
    assert kept == sorted(kept)
    assert len(set(kept)) > 3, "several indexes were written on the way"


def test_a_push_killed_at_each_call_of_the_disk(team, here, faults):
    """The disk is that of the store and that of the remote."""
    store, _ = here
    small = {DATA: put_tree(store, {"a": b"a" * 300, "b": b"b" * 300})}
    died = 0
    for n in range(300):
        folder = team.folder / f"{n}"

        def run(n=n, folder=folder):
            with faults(n, None):
                push(team.store("here"), team.remote(f"{n}", DirectoryBackend(str(folder))), small)

        if survived(run):
            break
        died += 1
        check_push_goes_on(team, store, small, f"{n}")
        shutil.rmtree(folder)
    assert died >= 20


def check_fetch_goes_on(team, backend, roots, name, files):
    """The store is right; the next fetch brings what it has not, and nothing else."""
    check_left(team.store(name))
    needed = closure(team.store("here"), roots.values())
    had = sum(team.store(name).has(id_) for id_ in needed)
    done = fetch(team.store(name), team.remote(name, backend), roots)
    assert done.objects == len(needed) - had
    check_left(team.store(name))
    assert files_of(team.store(name), roots[DATA]) == files
    return had


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fetch_killed_at_each_call_of_the_storage(team, here, many_packs, when, monkeypatch):
    store, roots = here
    push(store, team.remote("me"), roots)
    for n in range(100):

        def run(n=n):
            deadly = Deadly(team.storage, n, when)
            fetch(team.store(f"{n}"), team.remote(f"{n}", deadly), roots, jobs=1)

        if survived(run):
            break
        check_fetch_goes_on(team, team.storage, roots, f"{n}", FILES)
        shutil.rmtree(team.folder / f"{n}")
    assert n >= 5


def test_a_fetch_killed_at_each_call_of_the_disk(team, here, faults):
    store, _ = here
    files = {"a": b"a" * 300, "b": b"b" * 300, "cut": FILES["cut"]}
    roots = {DATA: put_tree(store, files)}
    push(store, team.remote("me"), roots)
    died = 0
    for n in range(300):
        team.store(f"{n}")

        def run(n=n):
            with faults(n, None):
                fetch(team.store(f"{n}"), team.remote(f"{n}"), roots)

        if survived(run):
            break
        died += 1
        check_fetch_goes_on(team, team.storage, roots, f"{n}", files)
        shutil.rmtree(team.folder / f"{n}")
    assert died >= 20
