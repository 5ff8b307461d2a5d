"""`pivot checkout` from end to end: what it restores, leaves alone and refuses."""

import fcntl
import os
import subprocess
import time

import pytest

from tests.e2e.conftest import PIVOT
from tests.e2e.test_json import conforms

PIPELINE = """
import os
from pivot import stage


@stage(outs=["data", "file"])
def make():
    os.makedirs("data/sub/empty")
    for name in ("a", "sub/b", "sub/run"):
        with open(f"data/{name}", "w") as f:
            f.write(name)
    os.chmod("data/sub/run", 0o755)
    with open("file", "w") as f:
        f.write("file")
"""
WHOLE = ["data/a", "data/sub/b", "data/sub/empty", "data/sub/run", "file"]


@pytest.fixture
def made(stages):
    project = stages(PIPELINE)
    project.pivot("repro")
    return project


def there(project):
    found = [os.path.relpath(p, project.path) for p in (project.path / "data").rglob("*")]
    return sorted(p for p in (*found, "file") if p != "data/sub" and (project.path / p).exists())


def lose(project, *paths):
    subprocess.run(["rm", "-rf", *paths], cwd=project.path, check=True)


def test_lost_outs_come_back_whole(made):
    lose(made, "data", "file")
    done = made.pivot("checkout", "--json")
    assert done.lines == [{"restored": ["data", "file"], "unchanged": [], "left": []}]
    conforms(done.lines[0], "checkout")
    assert there(made) == WHOLE
    assert os.access(made.path / "data/sub/run", os.X_OK)
    assert made.pivot("checkout").out == "Restored 0 paths, 2 unchanged.\n"
    assert made.pivot("repro").statuses == {"make": "unchanged"}


def test_a_target_is_restored_alone(made):
    lose(made, "data", "file")
    made.pivot("checkout", "data")
    assert there(made) == WHOLE[:-1]


def test_only_missing_mends_a_directory_and_keeps_every_edit(made):
    lose(made, "data/sub")
    made.write("data/a", "mine")
    made.write("data/new", "mine too")
    foreseen = made.pivot("checkout", "--only-missing", "--dry-run")
    assert foreseen.out == "would restore what is missing of data\n"
    assert made.pivot("checkout", "--only-missing").out == (
        "restored data\nRestored 1 path, 1 left as found.\n"
    )
    assert there(made) == sorted([*WHOLE, "data/new"])
    assert (made.read("data/a"), made.read("data/new")) == ("mine", "mine too")
    assert made.pivot("checkout", "--only-missing").out == "Restored 0 paths, 2 left as found.\n"


def test_edits_are_named_file_by_file_and_only_force_overwrites_them(made):
    made.write("data/a", "mine")
    made.write("data/new", "mine too")
    foreseen = made.pivot("checkout", "--dry-run", "--json").lines[0]
    conforms(foreseen, "checkout")
    assert foreseen["edited"] == ["data/a", "data/new"]
    refused = made.pivot("checkout", code=1)
    assert "edited data would be lost: data/a, data/new" in refused.err
    assert "pivot checkout --force" in refused.err
    assert made.read("data/a") == "mine"
    made.pivot("checkout", "--force")
    assert there(made) == WHOLE
    assert made.read("data/a") == "a"


def test_a_checkout_waits_for_a_collector_and_goes_on_after_it(made):
    lose(made, "data")
    with open(made.path / ".pivot/cache/tmp/in-use", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen([PIVOT, "checkout"], cwd=made.path)
        time.sleep(0.3)
        assert waiting.poll() is None
        assert not (made.path / "data").exists()
    assert waiting.wait(timeout=30) == 0
    assert there(made) == WHOLE
