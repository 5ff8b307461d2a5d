"""Several processes with one store: no lock is held, and nothing is lost."""

import os

import pytest

from pivot.hashing import hash_bytes
from pivot.store.store import Store

SESSIONS = 50


def part(worker, n):
    return b"%d of %d" % (n, worker) * 20


def work(root, worker):
    """Adds and reads back, while the others merge indexes away beneath it."""
    os.fsync = lambda fd: None
    store = Store.open(root)
    for n in range(SESSIONS):
        with store.writer() as writer:
            writer.add_bytes(part(worker, n))
            writer.add_bytes(b"common %d" % n)
        for earlier in range(n + 1):
            data = part(worker, earlier)
            assert store.read(hash_bytes(data)) == data


@pytest.fixture
def run_at_once():
    """Runs functions in processes of their own; tells how each ended."""

    def run(*functions):
        children = []
        for function in functions:
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    function()
                    code = 0
                finally:
                    os._exit(code)
            children.append(pid)
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]

    return run


def test_processes_that_add_and_merge_at_once_lose_nothing(root, run_at_once):
    """Even the store itself is made by whoever comes first."""
    assert run_at_once(*(lambda w=w: work(root, w) for w in range(3))) == [0, 0, 0]
    store = Store.open(root)
    for worker in range(3):
        for n in range(SESSIONS):
            assert store.read(hash_bytes(part(worker, n))) == part(worker, n)
    assert len(store.indexes) < 3 * SESSIONS


def test_processes_that_make_a_store_at_once_agree_on_its_id(tmp_path, run_at_once):
    for n in range(5):
        root = str(tmp_path / f"store{n}")

        def make(worker, root=root, n=n):
            (tmp_path / f"{n}-{worker}").write_text(Store.open(root).id.text)

        assert run_at_once(lambda: make(0), lambda: make(1), lambda: make(2)) == [0, 0, 0]
        assert len({(tmp_path / f"{n}-{worker}").read_text() for worker in range(3)}) == 1
