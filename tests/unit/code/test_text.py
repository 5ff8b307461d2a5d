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
def test_another_way_to_write_what_is_reached_is_another_text(fingerprint, old, new):
    assert old in PROJECT
    assert fingerprint(PROJECT.replace(old, new)).text != fingerprint(PROJECT).text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 2"),
        ("def other", "import json\n\n\ndef other"),
        ('["out"]', '["out"], mutex=["gpu"]'),
        ("FACTOR = 2", "# of the two\n\n\nFACTOR = 2"),
    ],
)
def test_what_stands_beside_it_is_none_of_it(fingerprint, old, new):
    assert old in PROJECT
    assert fingerprint(PROJECT.replace(old, new)).text == fingerprint(PROJECT).text


def test_line_ends_of_another_system_are_the_same_text(project):
    code = project(PROJECT)
    sources = code._modules._reading._sources
    before = code.fingerprint("pipeline:train").text
    sources.files.update({n: d.replace(b"\n", b"\r\n") for n, d in sources.files.items()})
    windows = type(code)(sources, code._modules._roots)
    assert windows.fingerprint("pipeline:train").text == before


def test_it_is_of_the_names_asked_for_whatever_is_reached(project):
    code = project(PROJECT)
    found = code.fingerprint("pipeline:train")
    assert code.text(found.code) == code.text([*reversed(found.code)]) == found.text
    assert code.text([*found.code, "pipeline:other"]) != found.text


@pytest.mark.parametrize("name", ["lib:scale", "lib:REGISTRY", "handlers:<effects>"])
def test_what_is_gone_is_told_from_what_is_there(project, name):
    there = project(PROJECT).text([name])
    emptied = project(PROJECT.partition("== lib.py")[0] + "== lib.py\n").text([name])
    broken = project(PROJECT.replace("== lib.py", "== lib.py\n(").replace("== h", "(\n== h"))
    assert there != emptied
    assert broken.text([name]) in (there, emptied)


def test_it_is_the_same_under_every_scheme(fingerprint, monkeypatch):
    before = fingerprint(PROJECT)
    monkeypatch.setattr("pivot.code.extraction._CONTEXT", "pivot code 2")
    monkeypatch.setattr("pivot.code.normal._expand", lambda node, skip="": [repr(type(node))])
    after = fingerprint(PROJECT)
    assert after.code != before.code
    assert after.text == before.text
