"""Facts of sources as they are kept: the same after a round trip, and nothing if damaged."""

import sys
from pathlib import Path

import pytest

from pivot.code.edition import edition
from pivot.code.fingerprint import ProjectCode
from pivot.code.keeping import decode, encode
from pivot.code.source.extraction import extract
from pivot.errors import DefinitionError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath

FILE = RepoPath("pkg/mod.py")
LIBRARY = Path(sys.modules["os"].__file__ or "").parent
ODD = r"""
import importlib as il
from importlib import import_module as load
from . import near, far as distant
from .deep import *
from pivot import Pipeline

__all__ = ["A", "odd \udc80"]
p = Pipeline("x")
registry: dict = {}

class A(near.Base, metaclass=distant.Meta):
    def __init_subclass__(cls): registry[cls] = cls.__subclasses__()

@registry.get("x")
def f(x, name):
    getattr(near, "a.b \udc80")
    globals()[name] = load(name)
    return [y for y in il.import_module("pkg.other").things]

if near:
    registry["f"] = f
registry.update(a=1)
print("loaded")
"""


def facts_of(source: bytes):
    return extract(source, FILE, "pkg.mod", is_package=False, declared=None)


@pytest.mark.parametrize("name", ["argparse", "dataclasses", "enum", "functools", "logging.config"])
def test_facts_of_a_real_module_survive_being_kept(name):
    module = facts_of(LIBRARY.joinpath(*name.split(".")).with_suffix(".py").read_bytes())
    assert decode(encode(module), FILE) == module


def test_facts_of_odd_code_survive_being_kept():
    module = facts_of(ODD.encode())
    assert module.effects
    assert module.triggers
    assert module.declared == {"Pipeline", "p"}
    assert decode(encode(module), FILE) == module


def test_damaged_facts_are_none():
    data = encode(facts_of(b"def f(): return 1"))
    assert decode(data, FILE) is not None
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 1
        assert decode(bytes(damaged), FILE) is None
    assert decode(data[:-1], FILE) is None
    assert decode(b"", FILE) is None


class Remembering:
    """Keeps facts in memory, and knows the ids of files."""

    def __init__(self, sources) -> None:
        self.sources = sources
        self.rows: dict[bytes, bytes] = {}

    def file_id(self, path):
        data = self.sources.read(path)
        return None if data is None else hash_bytes(data)

    def facts(self, key):
        return self.rows.get(key)

    def keep(self, key, facts):
        self.rows[key] = facts


class Counting:
    """Sources that say which of them were read."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.was_read: list[str] = []

    def read(self, path):
        self.was_read.append(path)
        text = self.files.get(path)
        return None if text is None else text.encode()

    def is_dir(self, path):
        return any(name.startswith(f"{path}/") for name in self.files)


FILES = {
    "pipeline.py": "from lib import f\nfrom made import p\n@p.stage\ndef train(): return f(1)\n",
    "lib.py": "import numpy as np\ndef f(x): return np.sum(x)\n",
    "made.py": "from pivot import Pipeline\np = Pipeline('x')\n",
}


@pytest.fixture
def sources():
    return Counting(dict(FILES))


@pytest.fixture
def kept(sources):
    known = Counting(sources.files)
    return Remembering(known)


def analyse(sources, kept=None):
    code = ProjectCode(sources, [RepoPath.ROOT], kept)
    return code.fingerprint("pipeline:train"), code.evidence


def test_known_sources_are_not_read_again(sources, kept):
    first = analyse(sources, kept)
    assert sorted(sources.was_read) == ["lib.py", "made.py", "pipeline.py"]
    sources.was_read.clear()
    assert analyse(sources, kept) == first == analyse(Counting(FILES))
    assert sources.was_read == []


def test_only_an_edited_source_is_read_again(sources, kept):
    before, _ = analyse(sources, kept)
    sources.was_read.clear()
    sources.files["lib.py"] += "\n\ndef g(): ...\n"
    assert analyse(sources, kept)[0] == before
    assert sources.was_read == ["lib.py"]


def test_what_is_pivots_own_in_another_module_counts_though_nothing_else_changed(sources, kept):
    before, _ = analyse(sources, kept)
    sources.files["made.py"] = "p = object()\n"
    after = analyse(sources, kept)
    assert after == analyse(Counting(sources.files))
    assert after[0].code["pipeline:train"] != before.code["pipeline:train"]


def test_damaged_rows_cost_only_time(sources, kept):
    before = analyse(sources, kept)
    kept.rows = {key: b"\0" + row[1:] for key, row in kept.rows.items()}
    assert analyse(sources, kept) == before


def test_the_id_in_the_evidence_is_that_of_the_bytes_that_were_parsed(sources, kept):
    """An editor may replace a file between the look at its id and its being read."""
    real = sources.read

    def replaced(path):
        if path == "lib.py":
            sources.files["lib.py"] = "def f(x): return x\n"
        return real(path)

    sources.read = replaced
    fingerprint, evidence = analyse(sources, kept)
    assert evidence["lib.py"] == hash_bytes(b"def f(x): return x\n")
    assert fingerprint == analyse(Counting(sources.files))[0]


def test_a_source_that_goes_away_meanwhile_is_named(sources, kept):
    sources.read = lambda path: None if path == "lib.py" else FILES[path].encode()
    with pytest.raises(DefinitionError, match=r"lib\.py went away"):
        analyse(sources, kept)


def test_an_edition_is_the_same_until_the_analysis_changes(tmp_path, monkeypatch):
    (tmp_path / "edition.py").write_text("")
    monkeypatch.setattr("pivot.code.edition.__file__", str(tmp_path / "edition.py"))
    first = edition()
    assert edition() == first
    (tmp_path / "rules.py").write_text("new")
    second = edition()
    assert second != first
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "rules.py").write_text("new")
    assert edition() not in (first, second)
