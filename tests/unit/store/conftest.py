"""Stores in fresh folders, and a look at everything that lies in one."""

import os
from concurrent.futures import wait

import pytest

from pivot.store.packer import Packer
from pivot.store.store import Store


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def store(root):
    return Store.open(root)


@pytest.fixture
def files_of():
    """The files of a store by their place in it, with their bytes; temporaries included."""

    def look(root):
        found = {}
        for base, _, names in os.walk(root):
            for name in names:
                path = os.path.join(base, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, root)] = f.read()
        found.pop("tmp/in-use", None)
        return found

    return look


@pytest.fixture
def unhurried(monkeypatch):
    """Whoever hands a block to the packer waits until it was written, or couldn't be."""
    put, handed = Packer.put, []

    def put_and_wait(self, block):
        handed.append(block)
        put(self, block)
        wait([written for _, written in self._pending])

    monkeypatch.setattr(Packer, "put", put_and_wait)
    return handed
