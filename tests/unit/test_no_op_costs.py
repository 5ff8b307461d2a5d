"""How much a run with nothing to do asks of the disk and the accelerator, by counting."""

import ast
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

PIVOT = Path(sys.executable).with_name("pivot")
STAGE = """
@stage(deps=["in.txt"], outs=["out{number}.txt", "other{number}.txt"])
def make{number}():
    helper.make({number})
"""
HELPER = """
def make(number):
    for name in ("out", "other"):
        with open("in.txt") as f, open(f"{name}{number}.txt", "w") as out:
            out.write(f.read() + str(number))
"""
# The wrappers count before Pivot is imported, so that `from os import stat` is counted, too.
COUNTED = """
import os, sqlite3, sys

asked, opened, statements = [], [], []

def counting(original):
    def ask(path, *args, **kwargs):
        if not isinstance(path, int):
            asked.append(os.path.abspath(os.fsdecode(path)))
        return original(path, *args, **kwargs)
    return ask

def hook(event, arguments):
    if event == "open" and not isinstance(arguments[0], int):
        opened.append(os.path.abspath(os.fsdecode(arguments[0])))

def connect(*args, original=sqlite3.connect, **kwargs):
    connection = original(*args, **kwargs)
    connection.set_trace_callback(statements.append)
    return connection

for name in ("stat", "lstat"):
    setattr(os, name, counting(getattr(os, name)))
sqlite3.connect = connect
sys.addaudithook(hook)
from pivot.cli.main import main
code = main(sys.argv[1:])
print(repr((code, asked, opened, statements)), file=sys.stderr)
"""


@dataclass(frozen=True)
class Seen:
    code: int
    asked: Counter
    opened: Counter
    statements: tuple[str, ...]


def count(project, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *arguments], cwd=project, capture_output=True, text=True
    )
    code, asked, opened, statements = ast.literal_eval(done.stderr.splitlines()[-1])
    within = [
        Counter(
            os.path.relpath(path, project) for path in paths if Path(path).is_relative_to(project)
        )
        for paths in (asked, opened)
    ]
    return Seen(code, *within, tuple(statements))


def made(root, stages):
    """A project all of whose stages ran, long enough ago that what they wrote can be told."""
    root.mkdir()
    (root / "in.txt").write_text("in")
    (root / "helper.py").write_text(HELPER)
    text = "import helper\nfrom pivot import stage\n"
    (root / "pipeline.py").write_text(
        text + "".join(STAGE.format(number=number) for number in range(stages))
    )
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    for command in (["init"], ["repro"], ["status"], ["repro"]):
        subprocess.run([PIVOT, *command], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return made(tmp_path_factory.mktemp("few").resolve() / "project", 3)


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    return made(tmp_path_factory.mktemp("more").resolve() / "project", 9)


@pytest.fixture(scope="module", params=["status", "repro"])
def command(request):
    return request.param


def test_what_it_asks_of_the_accelerator_does_not_grow_with_the_stages(few, more, command):
    counts = [count(project, command) for project in (few, more)]
    assert [seen.code for seen in counts] == [0, 0]
    assert len(counts[0].statements) == len(counts[1].statements) < 20


def test_it_writes_nothing_into_the_accelerator(more, command):
    written = [
        statement
        for statement in count(more, command).statements
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE", "BEGIN", "CREATE"))
    ]
    assert written == []


def test_it_looks_at_each_artifact_and_dep_once(more, command):
    asked = count(more, command).asked
    outs = [f"{name}{number}.txt" for name in ("out", "other") for number in range(9)]
    assert {asked[out] for out in outs} == {1}
    assert asked["in.txt"] == 1  # though nine stages read it


def test_it_looks_at_each_source_once_for_definitions_and_code(more, command):
    asked = count(more, command).asked
    assert asked["helper.py"] == 1
    assert asked["pipeline.py"] == 2  # and once to find out that it defines stages


def test_it_reads_each_lock_once(more, command):
    seen = count(more, command)
    assert {seen.opened[f".pivot/stages/make{number}.lock"] for number in range(9)} == {1}


def test_it_reads_neither_data_nor_sources(more, command):
    opened = count(more, command).opened
    assert not [name for name in opened if name.endswith((".txt", ".py"))]
