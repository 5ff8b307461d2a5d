"""How sources are written, apart from any scheme: what it tells, and what it doesn't."""

import pytest

PROJECT = """
from pivot import stage

from lib import scale

FACTOR = 2


@stage(outs=["out"])
def train():
    return scale(FACTOR)


def other():
    return 1
== lib.py
import handlers

REGISTRY = {}


def scale(x):
    return x * len(REGISTRY)
== handlers.py
import lib

lib.REGISTRY["a"] = 1
"""


@pytest.fixture
def text(project):
    """How all that the stage of a project reaches is written."""

    def of(sources):
        code = project(sources)
        return code.text("pipeline:train", code.fingerprint("pipeline:train").code)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scale(FACTOR)", "scale(FACTOR) "),
        ("scale(FACTOR)", "scale(FACTOR)  # scaled"),
        ("FACTOR = 2", "FACTOR = 3"),
        ("FACTOR = 2", "if True:\n    FACTOR = 2"),
        ("from lib import scale", "from lib import scale as scale, REGISTRY as FACTOR"),
        ("x * len", "x + len"),
        ('["a"] = 1', '["a"] = 2'),
        ('["a"] = 1', '["a"] = 1\nlib.REGISTRY["b"] = 1'),
        ("def train():", "@print\ndef train():"),
    ],
)
def test_another_way_to_write_what_is_reached_is_another_text(text, old, new):
    assert old in PROJECT
    assert text(PROJECT.replace(old, new)) != text(PROJECT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 2"),
        ("def other", "import json\n\n\ndef other"),
        ('["out"]', '["out"], mutex=["gpu"]'),
        ("FACTOR = 2", "# of the two\n\n\nFACTOR = 2"),
    ],
)
def test_what_stands_beside_it_is_none_of_it(text, old, new):
    assert old in PROJECT
    assert text(PROJECT.replace(old, new)) == text(PROJECT)


def test_line_ends_of_another_system_are_the_same_text(project):
    code = project(PROJECT)
    sources = code._modules._reading._sources
    names = code.fingerprint("pipeline:train").code
    before = code.text("pipeline:train", names)
    sources.files.update({n: d.replace(b"\n", b"\r\n") for n, d in sources.files.items()})
    windows = type(code)(sources, code._modules._roots)
    assert windows.text("pipeline:train", names) == before


def test_it_is_of_the_names_asked_for_whatever_is_reached(project):
    code = project(PROJECT)
    names = [*code.fingerprint("pipeline:train").code]
    assert code.text("pipeline:train", names) == code.text("pipeline:train", names[::-1])
    assert (
        len(
            {
                code.text("pipeline:train", n)
                for n in ([], names, names[1:], [*names, "pipeline:other"])
            }
        )
        == 4
    )


@pytest.mark.parametrize("name", ["lib:scale", "lib:REGISTRY", "handlers:<effects>"])
def test_what_is_gone_is_told_from_what_is_there(project, name):
    there = project(PROJECT).text("pipeline:train", [name])
    emptied = project(PROJECT.partition("== lib.py")[0] + "== lib.py\n").text(
        "pipeline:train", [name]
    )
    broken = project(PROJECT.replace("== lib.py", "== lib.py\n(").replace("== h", "(\n== h"))
    assert there != emptied
    assert broken.text("pipeline:train", [name]) in (there, emptied)


def test_it_is_the_same_under_every_scheme(project, text, monkeypatch):
    before, hashes = text(PROJECT), project(PROJECT).fingerprint("pipeline:train").code
    monkeypatch.setattr("pivot.code.source.extraction._CONTEXT", "pivot code 2")
    name = "pivot.code.source.normal._expand"
    monkeypatch.setattr(name, lambda node, skip="": [repr(type(node))])
    assert project(PROJECT).fingerprint("pipeline:train").code != hashes
    assert text(PROJECT) == before


def test_what_a_comment_leaves_out_may_be_written_in_any_way(text):
    ignored = PROJECT.replace("FACTOR = 2", "FACTOR = 2  # pivot: ignore")
    assert text(ignored.replace("= 2", "= 3")) == text(ignored) != text(PROJECT)


ORDERED = """
from pivot import stage

import first
import second
from table import TABLE


@stage(outs=["out"])
def train() -> int:
    return TABLE
== table.py
TABLE = {}
== first.py
import table

table.TABLE["a"] = 1
== second.py
import table

table.TABLE["a"] = 2
"""

EXPORTED = """
from pivot import stage

import lib


@stage(outs=["out"])
def train():
    return lib.one(), lib.two()
== lib/__init__.py
from .a import f as one
from .b import f as two
== lib/a.py
def f():
    return 1
== lib/b.py
def f():
    return 2
"""

REBOUND = """
from pivot import stage

X = 1
Y = X + 1
X = 3


@stage(outs=["out"])
def train():
    return Y + X
"""

READING = """
import json
from pathlib import Path

from pivot import stage

LIMITS = json.loads(Path("limits.json").read_text())


@stage(outs=["out"])
def train():
    return LIMITS
== limits.json
{"a": 1}
"""


@pytest.mark.parametrize(
    ("sources", "old", "new"),
    [
        (ORDERED, "import first\nimport second", "import second\nimport first"),
        (ORDERED, "from pivot", "from __future__ import annotations\nfrom pivot"),
        (EXPORTED, "f as one\nfrom .b import f as two", "f as two\nfrom .b import f as one"),
        (REBOUND, "Y = X + 1\nX = 3", "X = 3\nY = X + 1"),
        (READING, '"a": 1', '"a": 2'),
    ],
    ids=["imports", "annotations", "exports", "statements", "data"],
)
def test_what_the_same_lines_mean_counts_too(text, sources, old, new):
    """Else a commit could pass for what ran that has other hashes for the same lines."""
    assert old in sources
    assert text(sources.replace(old, new)) != text(sources)


def test_an_import_beside_it_is_none_of_it(text):
    assert text(ORDERED.replace("import first", "import json\nimport first")) == text(ORDERED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import table", "import table as other, table"),
        ("import table", "from table import *\nimport table"),
        ('["a"] = 1', '["a"] = 3'),
        ("import table", "import table\n\nname = 1\n"),
    ],
)
def test_of_a_whole_module_all_counts(project, old, new):
    def whole(sources):
        return project(sources).text("pipeline:train", ["first:<module>"])

    assert whole(ORDERED.replace(old, new)) != whole(ORDERED)
