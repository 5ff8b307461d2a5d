"""Edits of code that didn't run while definitions were loaded, and of code that did."""

import os
import textwrap

import pytest

from pivot.definition.definitions import decode, encode
from pivot.definition.evidence import edited_files
from pivot.definition.revision import revised
from tests.unit.definition.conftest import file_ids

PIPELINE = '''
"""Stages."""
import functools
import inspect

from pivot import stage
from lib import shapes, tables

NAMES = frozenset({"alpha", "beta", "gamma", "delta"})


@stage(deps=["in"], outs=[tables.path("first")])
def first():
    """The first."""
    return tables.load()


@stage(deps=sorted(NAMES), outs=[shapes.Shape().name])
def second():
    def inner():
        return 1
    return inner()
'''
TABLES = """
FOLDER = "made"

def path(name):
    return "/".join([FOLDER, _suffixed(name)])

def _suffixed(name):
    return name + ".csv" if name else _never()

def _never():
    return "never"

def load():
    return [line for line in open("in")]

def numbers():
    return [1, 2, 3]
"""
SHAPES = """
import inspect

class Shape:
    sides = 4

    def __init__(self):
        self.name = "shape%d" % self.sides

    def area(self):
        return 1

def traced():
    return 1

TEXT = inspect.signature(traced)
"""
LOOKS_AT_ITSELF = """
import inspect
from lib import tables

TEXT = inspect.getsource(tables.load)
"""
TWICE = """
import importlib
from lib import tables
importlib.reload(tables)
"""
SOURCES = {"pipeline.py": PIPELINE, "lib/tables.py": TABLES, "lib/shapes.py": SHAPES}
UNSEEN = {
    "a body": ("pipeline.py", "return tables.load()", "return tables.load() + [1]"),
    "a longer body": ("pipeline.py", "return tables.load()", "x = 1\n    y = 2\n    return x"),
    "a nested function": ("pipeline.py", "return inner()", "return inner() or (lambda: 2)()"),
    "comments and blank lines": ("pipeline.py", "NAMES =", "\n\n# the names\nNAMES ="),
    "a helper of stages": ("lib/tables.py", "for line in open", "for line in 2 * open"),
    "a branch that calls what never ran": ("lib/tables.py", '"never"', '"always"'),
    "a method": ("lib/shapes.py", "return 1\n\ndef", "return 2 * 2\n\ndef"),
}
SEEN = {
    "a decorator's argument": ("pipeline.py", 'deps=["in"]', 'deps=["other"]'),
    "a constant": ("lib/tables.py", '"made"', '"done"'),
    "a set": ("pipeline.py", '"delta"', '"epsilon"'),
    "a function that ran": ("lib/tables.py", '"/".join([FOLDER', '"/".join(["x", FOLDER'),
    "one that another one called": ("lib/tables.py", ".csv", ".tsv"),
    "a method that ran": ("lib/shapes.py", '"shape%d"', '"form%d"'),
    "an attribute of a class": ("lib/shapes.py", "sides = 4", "sides = 5"),
    "a new stage": (
        "pipeline.py",
        "@stage(deps=sorted",
        "@stage()\ndef n(): ...\n@stage(deps=sorted",
    ),
    "a stage that is gone": ("pipeline.py", '@stage(deps=["in"], outs=[tables.path("first")])', ""),
    "a name": ("pipeline.py", "def first()", "def primary()"),
    "a signature": ("pipeline.py", "def first()", "def first(a=1)"),
    "a docstring": ("pipeline.py", "The first.", "The very first."),
    "a body that makes a generator": ("pipeline.py", "return tables.load()", "yield 1"),
    "an import": ("lib/tables.py", 'FOLDER = "made"', 'import json\nFOLDER = "made"'),
    "an error of syntax": ("lib/tables.py", "return [1, 2, 3]", "return [1, 2, 3"),
}


def edit(project, name, old, new):
    text = (project.root / name).read_text()
    assert old in text
    (project.root / name).write_text(text.replace(old, new, 1))


def revise(project, definitions):
    edited = edited_files(definitions.evidence, file_ids(definitions.evidence, str(project.root)))
    assert edited
    return revised(definitions, str(project.root), edited)


@pytest.fixture
def loaded(project):
    for name, text in SOURCES.items():
        project.write(name, text)
    return decode(encode(project.load()))


@pytest.mark.parametrize("what", UNSEEN)
def test_definitions_hold_after_an_edit_of_what_did_not_run(project, loaded, what):
    edit(project, *UNSEEN[what])
    now = revise(project, loaded)
    assert now is not None
    fresh = project.load()
    assert now.stages == fresh.stages
    assert now.evidence.files == fresh.evidence.files
    assert now.evidence.executed == fresh.evidence.executed
    assert project.holds(now)


@pytest.mark.parametrize("what", SEEN)
def test_they_do_not_after_an_edit_of_what_ran_or_could_be_seen(project, loaded, what):
    edit(project, *SEEN[what])
    assert revise(project, loaded) is None


def test_lines_of_stages_follow_edits(project, loaded):
    edit(project, "pipeline.py", "return tables.load()", "x = 1\n    return x")
    before = {stage.name: stage.line for stage in loaded.stages}
    after = {stage.name: stage.line for stage in revise(project, loaded).stages}
    assert after == {"first": before["first"], "second": before["second"] + 1}


def test_several_files_can_be_edited_one_after_the_other(project, loaded):
    for name in ("a body", "a helper of stages", "a method"):
        edit(project, *UNSEEN[name])
    now = revise(project, loaded)
    edit(project, *UNSEEN["a branch that calls what never ran"])
    assert revise(project, now).stages == project.load().stages
    edit(project, *SEEN["a constant"])
    assert revise(project, now) is None


def test_a_file_that_is_gone_counts(project, loaded):
    (project.root / "lib/shapes.py").unlink()
    assert revise(project, loaded) is None


def test_what_is_on_disk_must_be_what_was_hashed(project, loaded):
    edit(project, *UNSEEN["a body"])
    edited = edited_files(loaded.evidence, file_ids(loaded.evidence, str(project.root)))
    edit(project, *UNSEEN["a nested function"])
    assert revised(loaded, str(project.root), edited) is None


@pytest.mark.parametrize("text", [LOOKS_AT_ITSELF, TWICE], ids=["read as text", "run twice"])
def test_a_source_that_was_not_just_imported_counts_as_a_whole(project, loaded, text):
    project.write("lib/tables.py", TABLES)
    project.write("pipeline.py", PIPELINE + textwrap.dedent(text))
    definitions = project.load()
    assert "lib/shapes.py" in definitions.evidence.executed
    assert "lib/tables.py" not in definitions.evidence.executed
    edit(project, *UNSEEN["a helper of stages"])
    assert revise(project, definitions) is None


def test_a_file_of_data_counts(project):
    project.write("data.txt", "1")
    project.write("pipeline.py", PIPELINE + "DATA = open('data.txt').read()\n")
    for name in ("lib/tables.py", "lib/shapes.py"):
        project.write(name, SOURCES[name])
    definitions = project.load()
    edit(project, "data.txt", "1", "2")
    assert revise(project, definitions) is None


def test_a_linked_source_holds_while_lines_stay(project, loaded, tmp_path):
    place = tmp_path / "elsewhere.py"
    os.replace(project.root / "lib/tables.py", place)
    os.symlink(place, project.root / "lib/tables.py")
    definitions = project.load()
    edit(project, *UNSEEN["a helper of stages"])
    assert revise(project, definitions) is not None
    edit(project, "lib/tables.py", "FOLDER", "# moved\nFOLDER")
    assert revise(project, definitions) is None


def test_unseen_edits_are_told_from_seen_ones_in_any_process(project, loaded, monkeypatch):
    """Sets in code have another order there."""
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    other = project.load()
    assert other.evidence.executed == loaded.evidence.executed
