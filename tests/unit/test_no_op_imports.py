"""What a run with nothing to do costs: what it imports, starts and opens."""

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FOREIGN = {
    "aiofiles", "asyncio", "blake3", "boto3", "botocore", "click", "concurrent", "ctypes",
    "email", "fsspec", "http", "importlib.metadata", "logging", "multiprocessing",
    "numpy", "obstore", "pandas", "pivot_remotes", "pydantic", "pyfastcdc", "pygit2", "sqlite3",
    "ssl", "subprocess", "tomlkit", "tomllib", "urllib", "yaml",
}  # fmt: skip
ALLOWED = {"blake3", "click", "sqlite3", "tomllib"}
# Small ones of which most commands need nothing, and which cost a no-op a twentieth.
UNASKED = {"bz2", "difflib", "glob", "lzma", "platform", "shutil", "zstandard"}
LATE = {
    "pivot.checkout", "pivot.code.source.facts", "pivot.code.fingerprint", "pivot.code.reach",
    "pivot.code.source.references", "pivot.code.source.statements", "pivot.code.source.symbols",
    "pivot.definition.loading", "pivot.git", "pivot.params", "pivot.placing", "pivot.run.executors",
    "pivot.run.repro", "pivot.run.server", "pivot.store.writer", "pivot.sync", "pivot.transfer",
}  # fmt: skip

PIPELINE = """
import helper
from pivot import Metric, stage


@stage(deps=["in.txt", "raw"], outs=["out.txt", "tree", Metric("m.json")])
def make():
    helper.make()
"""
HELPER = """
import json
import os


def make():
    os.mkdir("tree")
    for name in ("out.txt", "tree/part"):
        with open("in.txt") as f, open(name, "w") as out:
            out.write(f.read())
    with open("m.json", "w") as out:
        json.dump({"a": 1}, out)
"""
WATCHED = """
import os, sys

events = []
WATCH = {"open", "subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system"}

def hook(event, arguments):
    if event in WATCH:
        events.append((event, os.fsdecode(arguments[0]) if event == "open" and
                       not isinstance(arguments[0], int) else str(arguments[0])))

sys.addaudithook(hook)
from pivot.cli.main import main
code = main(sys.argv[1:])
print(repr((code, sorted(sys.modules), events)), file=sys.stderr)
"""


@dataclass(frozen=True)
class Seen:
    code: int
    modules: frozenset[str]
    events: tuple[tuple[str, str], ...]

    def started(self) -> list[str]:
        return [what for what, _ in self.events if what != "open"]

    def opened(self, folder: Path) -> set[str]:
        places = (Path(os.path.abspath(name)) for what, name in self.events if what == "open")
        return {p.relative_to(folder).as_posix() for p in places if p.is_relative_to(folder)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("no-op") / "project"
    path.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
    for name, text in (("pipeline.py", PIPELINE), ("helper.py", HELPER), ("in.txt", "1")):
        (path / name).write_text(text)
    (path / "raw").mkdir()
    (path / "raw/part").write_text("tracked")
    for command in (["init"], ["track", "raw"], ["repro"], ["repro"]):
        subprocess.run([Path(sys.executable).with_name("pivot"), *command], cwd=path, check=True)
    return path


def watch(project: Path, *arguments: str) -> Seen:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments], cwd=project, capture_output=True, text=True
    )
    code, modules, events = ast.literal_eval(done.stderr.splitlines()[-1])
    return Seen(code, frozenset(modules), tuple(events))


@pytest.fixture(scope="module", params=["repro", "status"])
def no_op(project: Path, request: pytest.FixtureRequest) -> Seen:
    return watch(project, request.param)


def test_it_imports_nothing_that_it_does_not_need(no_op):
    assert no_op.code == 0
    assert (FOREIGN - ALLOWED | UNASKED) & no_op.modules == set()
    late = {m for m in no_op.modules if any(m == n or m.startswith(n + ".") for n in LATE)}
    assert late == set()


def test_it_imports_no_module_of_the_user(no_op):
    assert not no_op.modules & {"pipeline", "helper", "_pivot_pipeline"}


def test_it_starts_no_process(no_op):
    assert no_op.started() == []


def test_it_opens_neither_data_nor_sources(no_op, project):
    opened = {name for name in no_op.opened(project) if not name.startswith(".pivot/")}
    # A folder is opened to be listed: to see whether a directory is unchanged.
    assert opened <= {".", "tree", "raw", "raw.pvt"}


def test_it_opens_few_of_its_own_files(no_op, project):
    own = {n for n in no_op.opened(project) if n.startswith((".pivot/cache", ".pivot/stages"))}
    assert not [name for name in own if name.endswith(".pack")]
    assert len(no_op.opened(project)) < 12


def test_status_costs_no_more(project):
    seen = watch(project, "status")
    assert not {m for m in FOREIGN - ALLOWED if m in seen.modules}
    assert seen.started() == []


def test_help_imports_no_room_of_the_house(project):
    seen = watch(project, "--help")
    assert {m for m in seen.modules if m.startswith("pivot.")} <= {
        "pivot.cli", "pivot.cli.colour", "pivot.cli.group", "pivot.cli.main", "pivot.cli.table",
            "pivot.errors", "pivot.printable",
    }  # fmt: skip
    assert not seen.modules & (FOREIGN - ALLOWED)


def test_importing_pivot_costs_nothing(project):
    done = subprocess.run(
        [sys.executable, "-c", "import sys, pivot; print(*sorted(sys.modules))"],
        cwd=project, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {m for m in done.stdout.split() if m.startswith("pivot")} == {"pivot"}
    assert not set(done.stdout.split()) & FOREIGN


def test_tracked_data_that_is_nowhere_near_costs_no_more(project, tmp_path):
    """As in a clone: neither workspace nor cache have it, and no remote is asked for it."""
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, symlinks=True)
    shutil.rmtree(clone / ".pivot/cache")
    pivot = Path(sys.executable).with_name("pivot")
    for command in (["repro"], ["remote", "add", "r", str(tmp_path / "remote"), "--default"]):
        subprocess.run([pivot, *command], cwd=clone, check=True)
    shutil.rmtree(clone / "raw")
    for _ in range(2):
        seen = watch(clone, "repro")
    assert seen.code == 0
    assert not {m for m in FOREIGN - ALLOWED if m in seen.modules}
    assert not {m for m in seen.modules if m.startswith(("pivot.sync", "pivot.transfer"))}


def test_a_push_with_nothing_to_do_opens_no_index_and_imports_nothing_that_sends(project, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, symlinks=True)
    pivot = Path(sys.executable).with_name("pivot")
    for command in (["remote", "add", "r", str(tmp_path / "remote"), "--default"], ["push"]):
        subprocess.run([pivot, *command], cwd=clone, check=True)
    seen = watch(clone, "push")
    assert seen.code == 0
    needed = {"blake3", "click", "http", "pivot_remotes", "sqlite3", "tomllib", "urllib"}
    assert not {m for m in FOREIGN - needed if m in seen.modules}
    sending = {
        "pivot.store.writer", "pivot.sync.closure", "pivot.sync.completing", "pivot.sync.fetch",
        "pivot.sync.plan", "pivot.transfer.fetch", "pivot.transfer.push",
    }  # fmt: skip
    assert not seen.modules & sending
    opened = seen.opened(clone) | seen.opened(tmp_path / "remote")
    assert not [name for name in opened if name.endswith((".idx", ".pack"))]
