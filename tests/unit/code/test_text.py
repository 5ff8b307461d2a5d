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
        return code.text(code.fingerprint("pipeline:train").code)

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
    before = code.text(names)
    sources.files.update({n: d.replace(b"\n", b"\r\n") for n, d in sources.files.items()})
    windows = type(code)(sources, code._modules._roots)
    assert windows.text(names) == before


def test_it_is_of_the_names_asked_for_whatever_is_reached(project):
    code = project(PROJECT)
    names = [*code.fingerprint("pipeline:train").code]
    assert code.text(names) == code.text(names[::-1])
    assert len({code.text(n) for n in ([], names, names[1:], [*names, "pipeline:other"])}) == 4


@pytest.mark.parametrize("name", ["lib:scale", "lib:REGISTRY", "handlers:<effects>"])
def test_what_is_gone_is_told_from_what_is_there(project, name):
    there = project(PROJECT).text([name])
    emptied = project(PROJECT.partition("== lib.py")[0] + "== lib.py\n").text([name])
    broken = project(PROJECT.replace("== lib.py", "== lib.py\n(").replace("== h", "(\n== h"))
    assert there != emptied
    assert broken.text([name]) in (there, emptied)


def test_it_is_the_same_under_every_scheme(project, text, monkeypatch):
    before, hashes = text(PROJECT), project(PROJECT).fingerprint("pipeline:train").code
    monkeypatch.setattr("pivot.code.extraction._CONTEXT", "pivot code 2")
    monkeypatch.setattr("pivot.code.normal._expand", lambda node, skip="": [repr(type(node))])
    assert project(PROJECT).fingerprint("pipeline:train").code != hashes
    assert text(PROJECT) == before


def test_what_a_comment_leaves_out_may_be_written_in_any_way(text):
    ignored = PROJECT.replace("FACTOR = 2", "FACTOR = 2  # pivot: ignore")
    assert text(ignored.replace("= 2", "= 3")) == text(ignored) != text(PROJECT)
