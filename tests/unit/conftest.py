"""A project on disk with its store and memory, and a disk that fails when it is told to."""

import os
import shutil

import pytest

from pivot.state import State
from pivot.store.store import Store
from pivot.workspace import Workspace
from tests.unit.disk import failing_disk


class Bench:
    """A project's folder, with what reads and stores what lies in it."""

    def __init__(self, root):
        self.root = root
        os.makedirs(root / ".pivot")
        self.state = State.open(str(root / ".pivot" / "state.db"))
        self.store = Store.open(str(root / ".pivot" / "cache"))
        self.workspace = Workspace(str(root), self.state)

    def write(self, files):
        """Make files by path: bytes, or None for an empty folder."""
        for name, data in files.items():
            path = self.root / name
            if data is None:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def remove(self, name):
        """Remove a file, link or folder; nothing there is fine."""
        path = self.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def look(self, name="."):
        """Everything below a folder, by path: bytes, None for empty folders, targets of links."""
        found = {}
        top = self.root / name
        for base, folders, files in os.walk(top):
            if ".pivot" in folders:
                folders.remove(".pivot")
            here = os.path.relpath(base, top)
            if not folders and not files and here != ".":
                found[here] = None
            for file in (*files, *(f for f in folders if os.path.islink(os.path.join(base, f)))):
                path = os.path.join(base, file)
                key = os.path.normpath(os.path.join(here, file))
                if os.path.islink(path):
                    found[key] = f"-> {os.readlink(path)}"
                    continue
                with open(path, "rb") as f:
                    found[key] = f.read()
        return found


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "project")
    yield made
    made.state.close()


@pytest.fixture
def faults():
    """A disk of which a call can be made to fail; see `failing_disk`."""
    return failing_disk


@pytest.fixture
def outside(bench):
    """A folder beside the project that nothing may touch."""
    folder = bench.root.parent / "outside"
    folder.mkdir()
    (folder / "sentinel").write_bytes(b"untouched")
    yield folder
    assert [p.name for p in folder.iterdir()] == ["sentinel"]
    assert (folder / "sentinel").read_bytes() == b"untouched"
