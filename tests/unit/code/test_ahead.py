"""Parsing ahead: which sources are guessed, and that a guess changes nothing but time."""

import pytest

from pivot.code.ahead import guess, parse_ahead
from pivot.code.fingerprint import ProjectCode
from pivot.code.keeping import decode
from pivot.errors import DefinitionError
from pivot.paths import RepoPath

ROOTS = (RepoPath.ROOT,)
COUNT = 60


class Sources:
    """Sources in memory."""

    def __init__(self, files) -> None:
        self.files = files

    def read(self, path):
        text = self.files.get(path)
        return None if text is None else text.encode()

    def is_dir(self, path):
        return any(name.startswith(f"{path}/") for name in self.files)

    def names(self, path):
        inner = [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]
        return sorted({name.partition("/")[0] for name in inner})


def many():
    """A chain of modules, longer than what is parsed one by one."""
    files = {
        f"lib/m{n}.py": f"from lib.m{n + 1} import f as g\ndef f(): return g() + {n}\n"
        for n in range(COUNT)
    }
    files["lib/__init__.py"] = ""
    files[f"lib/m{COUNT}.py"] = "def f(): return 0\n"
    files["pipeline.py"] = "from lib.m0 import f\ndef train(): return f()\n"
    return files


@pytest.fixture(autouse=True)
def two_processes(monkeypatch):
    monkeypatch.setattr("pivot.code.ahead.useful", lambda: 2)


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("import lib.a", {"lib", "lib.a"}),
        ("import os, lib.a as b", {"lib", "lib.a"}),
        ("from lib import a", {"lib", "lib.a"}),
        ("from lib import (  # several\n    a,\n    c as d,\n)", {"lib", "lib.a", "lib.c"}),
        ("def f():\n    from lib.a import x", {"lib", "lib.a"}),
        ("from . import other", {"other"}),
        ("x = 'import lib'", set()),
    ],
)
def test_what_looks_like_an_import_is_guessed(statement, names):
    files = {
        "pkg/__init__.py": "", "lib/__init__.py": "", "lib/a.py": "", "lib/c.py": "",
        "pkg/other.py": "", "pkg/m.py": statement,
    }  # fmt: skip
    found = {one.name for one in guess(Sources(files), ROOTS, ["pkg.m"])}
    names = {f"pkg.{name}" if name == "other" else name for name in names}
    assert found == {"pkg", "pkg.m"} | names


def test_facts_made_ahead_are_those_of_the_sources():
    sources = Sources(many())
    guesses = guess(sources, ROOTS, ["pipeline"])
    found = parse_ahead(guesses, lambda _: False)
    assert found.keys() == {one.key for one in guesses}
    for one in guesses:
        module = decode(found[one.key], one.file)
        assert module is not None
        assert module.place.module == one.name


def test_what_is_known_is_not_parsed_again():
    guesses = guess(Sources(many()), ROOTS, ["pipeline"])
    assert parse_ahead(guesses, lambda _: True) == {}


def test_few_sources_make_no_process(monkeypatch):
    monkeypatch.setattr("pivot.code.ahead.Forked.start", lambda _: pytest.fail("a process"))
    few = guess(Sources(many()), ROOTS, [f"lib.m{COUNT - 3}"])
    assert len(few) == 5
    assert parse_ahead(few, lambda _: False) == {}


def analyse(files, *, ahead):
    code = ProjectCode(Sources(files), ROOTS)
    if ahead:
        code.expect(["pipeline:train"])
    return code.fingerprint("pipeline:train"), code.evidence, code.names


def test_an_analysis_that_parses_ahead_finds_the_same(monkeypatch):
    plain = analyse(many(), ahead=False)
    made = []
    real = parse_ahead
    monkeypatch.setattr(
        "pivot.code.modules.parse_ahead", lambda *rest: made.append(real(*rest)) or made[-1]
    )
    assert analyse(many(), ahead=True) == plain
    assert len(made[0]) > COUNT


def test_a_wrong_guess_is_no_evidence():
    files = many()
    files["lib/m5.py"] += "TEXT = '''\nimport unrelated\n'''\n"
    files["unrelated.py"] = "this is not Python"
    assert analyse(files, ahead=True) == analyse(files, ahead=False)


def test_a_source_that_is_needed_and_broken_is_told():
    files = many()
    files["lib/m40.py"] = "def f(:\n"
    with pytest.raises(DefinitionError, match=r"lib/m40\.py:1"):
        analyse(files, ahead=True)


def test_a_process_that_fails_costs_only_time(monkeypatch):
    monkeypatch.setattr("pivot.code.ahead.encode", lambda _: 1 / 0)
    assert analyse(many(), ahead=True) == analyse(many(), ahead=False)
