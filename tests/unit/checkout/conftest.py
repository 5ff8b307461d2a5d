"""What a checkout is tried with: contents of a store, and a way back into the workspace."""

import os

import pytest

from pivot.placing import fill, place
from tests.unit.checkout.plans import OUT


@pytest.fixture
def keep(bench):
    """Stores what a path holds, then takes it away."""

    def store(path=OUT, *, leave=False):
        with bench.store.writer() as writer:
            content = bench.workspace.store(path, writer)
        if not leave:
            bench.remove(path)
        return content

    return store


@pytest.fixture
def put(bench):
    return lambda content, path=OUT: place(bench.workspace, bench.state, bench.store, path, content)


@pytest.fixture
def fill_in(bench):
    return lambda content: fill(bench.workspace, bench.state, bench.store, OUT, content)


@pytest.fixture
def tree(bench):
    def write(files):
        bench.write({f"out/{name}": data for name, data in files.items()})

    return write


@pytest.fixture
def clean(bench):
    """Nothing of a checkout is left over."""

    def check():
        folder = bench.root / ".pivot" / "tmp"
        assert not folder.exists() or not os.listdir(folder)

    return check


@pytest.fixture
def many(bench, monkeypatch):
    """Small batches and two helping processes, so that a few files count as many."""
    monkeypatch.setattr("pivot.writing.BATCH_FILES", 7)
    monkeypatch.setattr("pivot.placing.BATCH_FILES", 7)
    monkeypatch.setattr("pivot.placing.useful", lambda: 2)
    files = {f"{n % 5}/{n % 3}/{n:03}": b"%d" % n for n in range(100)}
    return files | {"large": os.urandom((1 << 20) + 1), "4/none": None, "x": b"run"}
