"""What a fingerprint says besides its hashes, and what it must not depend on."""

import ast
import json
import os
import subprocess
import sys
import sysconfig

import pytest

from pivot.code.fingerprint import Location, ProjectCode
from pivot.errors import DefinitionError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath

STORY = """
from pivot import stage
import numpy as np
from pkg import norm
K = 2
@stage(deps=["a.csv"], outs=["b"])
def train():
    return np.sum(norm(K))
== pkg/__init__.py
from .maths import norm
print("loaded")
== pkg/maths.py
import os

class Scale:
    by = 3

def norm(x):
    return x * Scale().by
"""


def test_names_places_and_kinds_of_what_is_reached(fingerprint):
    found = fingerprint(STORY)
    assert found.root == "pipeline:train"
    assert {key: (str(found.kinds[key]), found.locations[key]) for key in found.code} == {
        "pipeline:K": ("const", Location(RepoPath("pipeline.py"), 4)),
        "pipeline:train": ("func", Location(RepoPath("pipeline.py"), 6)),
        "pkg.maths:Scale": ("class", Location(RepoPath("pkg/maths.py"), 3)),
        "pkg.maths:norm": ("func", Location(RepoPath("pkg/maths.py"), 6)),
        "pkg:<effects>": ("effects", Location(RepoPath("pkg/__init__.py"), 2)),
    }
    assert list(found.code) == sorted(found.code)
    assert all(len(value) == 64 for value in found.code.values())


SETTINGS = """
import json
import pathlib
from pivot import stage
HERE = pathlib.Path(__file__).parent
CONFIG = json.loads((HERE / "a.json").read_text())
QUERIES = [path.name for path in HERE.glob("sql/*")]
@stage(outs=["b"])
def train():
    return CONFIG, QUERIES
== a.json
{}
== sql/b.sql
select 1
"""


def test_files_that_are_read_at_import_are_named_for_what_reads_them(fingerprint):
    reads = fingerprint(SETTINGS).reads
    assert "pipeline:train" not in reads
    assert [read.path for read in reads["pipeline:CONFIG"]] == ["a.json"]
    assert all(read.path.startswith("sql/") for read in reads["pipeline:QUERIES"])
    other = fingerprint(SETTINGS.replace("{}", "[]")).reads
    assert other["pipeline:CONFIG"] != reads["pipeline:CONFIG"]
    assert other["pipeline:QUERIES"] == reads["pipeline:QUERIES"]


TABLE = """
from pivot import stage
import one
import two
from table import TABLE


@stage(outs=["b"])
def train():
    return TABLE
== table.py
TABLE = {}
def add(f):
    TABLE["x"] = f
    return f
== one.py
from table import add
@add
def first(): ...
== two.py
from table import add
@add
def second(): ...
"""


def test_the_order_of_imports_stands_where_the_table_is_that_they_fill(fingerprint):
    found = fingerprint(TABLE)
    assert found.locations["table:<effects>"] == Location(RepoPath("table.py"), 1)


def test_a_line_belongs_to_the_module_under_the_name_that_people_import(project):
    """Not under that of the folders around it, which are namespace packages to Python."""
    text = "import ours.core\n== packages/ours/src/ours/__init__.py\n"
    text += "== packages/ours/src/ours/core.py\ndef work(): ...\n"
    code = project(text, ".", "packages/ours/src")
    place = (RepoPath("packages/ours/src/ours/core.py"), 1)
    assert code.symbols_at([place]) == {place: "ours.core:work"}


def test_only_third_party_modules_that_are_used_are_named(fingerprint):
    assert fingerprint(STORY).modules == {"numpy"}
    assert fingerprint("import os, pandas\ndef train(): return os").modules == set()
    assert fingerprint("def train():\n from a.b import c").modules == {"a"}


def test_a_helper_carries_its_third_party_module(fingerprint):
    text = (
        "from m import f\ndef train(): return f()\n== m.py\nimport torch\ndef f(): return torch.x"
    )
    assert fingerprint(text).modules == {"torch"}


def test_moving_a_project_keeps_its_fingerprint(project):
    moved = STORY.replace("== pkg", "== src/pkg")
    here = project(STORY).fingerprint("pipeline:train")
    assert project(moved, ".", "src").fingerprint("pipeline:train").code == here.code


def test_moving_a_definition_within_its_file_moves_only_its_line(fingerprint):
    before = fingerprint("K = 1\ndef train(): return K")
    after = fingerprint("def train(): return K\n\n\nK = 1")
    assert before.code == after.code
    assert after.locations["pipeline:K"].line == 4


def test_reformatting_keeps_the_fingerprint(fingerprint):
    source = STORY.partition("==")[0]
    assert fingerprint(ast.unparse(ast.parse(source))).code == fingerprint(source).code


def test_evidence_names_what_was_read_and_what_was_missed(project):
    code = project("from m import f\nfrom n.s import g\ndef train(): f(g)\n== n/s.py\ng = 1")
    code.fingerprint("pipeline:train")
    assert code.evidence[RepoPath("n/s.py")] == hash_bytes(b"g = 1")
    assert code.evidence[RepoPath("m.py")] is None
    assert code.evidence[RepoPath("m/__init__.py")] is None
    assert code.folders == {
        RepoPath("m"): False,
        RepoPath("n"): True,
    } | {path: False for path in code.folders if path not in {"m", "n"}}


def test_an_earlier_root_hides_a_later_one(project):
    text = "from m import f\ndef train(): f()\n== m.py\ndef f(): 1\n== src/m.py\ndef f(): 2"
    first = project(text, ".", "src").fingerprint("pipeline:train")
    second = project(text, "src", ".").fingerprint("pipeline:train")
    assert first.code["m:f"] != second.code["m:f"]
    assert first.locations["m:f"].file == "m.py"
    assert second.locations["m:f"].file == "src/m.py"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "import importlib\ndef train(n):\n importlib.import_module(n)",
            "import of a computed name",
        ),
        ("import sys\ndef train(n):\n sys.modules[n]", "sys.modules of a computed name"),
        ("import m\ndef train(n):\n getattr(m, n)\n== m.py\nK = 1", "module used as a value: m"),
        ("def train(n):\n eval(n)", "module used as a value: pipeline"),
    ],
)
def test_what_cannot_be_followed_is_shown(text, what, fingerprint):
    (opaque,) = fingerprint(text).opaque
    assert (opaque.what, opaque.file, opaque.line) == (
        what,
        "pipeline.py",
        text.count("\n", 0, text.index("\n ")) + 2,
    )


def test_ordinary_code_has_nothing_opaque(fingerprint):
    assert fingerprint(STORY).opaque == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def train(:", r"pipeline\.py:1 has a syntax error"),
        ("import m\ndef train(): m.f()\n== m.py\n\nx = = 1", r"m\.py:2 has a syntax error"),
        ("def train(): '\0'", r"pipeline\.py"),
        ("def other(): pass", "does not define 'train'"),
        ("== other.py\nx = 1", "module 'pipeline'"),
        (f"def train(): return {'(' * 5000}1{')' * 5000}", r"pipeline\.py"),
    ],
)
def test_source_that_cannot_be_read_is_named(text, message, fingerprint):
    with pytest.raises(DefinitionError, match=message):
        fingerprint(text)


def test_a_broken_file_that_is_not_imported_does_not_matter(fingerprint):
    assert fingerprint("def train(): return 1\n== m.py\nx = = 1").code


def test_a_definition_inside_a_try_keeps_its_kind(fingerprint):
    found = fingerprint("try:\n import x\n def train(): return 1\nexcept ImportError: pass")
    assert found.kinds["pipeline:train"] == "func"


def test_a_method_is_its_class(fingerprint):
    found = fingerprint("class C:\n def run(s): return 1", "pipeline:C.run")
    assert list(found.code) == ["pipeline:C"]


def test_circular_imports_end(fingerprint):
    text = (
        "from a import f\ndef train(): f()\n== a.py\nfrom b import *\nfrom b import g as f\n"
        "== b.py\nfrom a import *\nfrom a import f as g"
    )
    assert list(fingerprint(text).code) == ["pipeline:train"]


HASH = """
import json, sys
from pivot.code.fingerprint import ProjectCode
from pivot.paths import RepoPath
files = json.load(sys.stdin)
class Sources:
    def read(self, path): return files[path].encode() if path in files else None
    def is_dir(self, path): return any(f.startswith(path + "/") for f in files)
    def names(self, path): return []
found = ProjectCode(Sources(), [RepoPath(".")]).fingerprint("pipeline:train")
json.dump(dict(found.code), sys.stdout)
"""


def test_the_hash_seed_does_not_matter():
    files = {
        "pipeline.py": (
            "import numpy\nfrom m import *\ndef train():\n global a, b\n"
            " return f(), numpy.x, {3, 'a'}"
        ),
        "m.py": "T = {}\nU = []\ndef f(): return T, U\nT['a'] = U\nU.append(T)",
    }
    results = {
        subprocess.run(
            [sys.executable, "-c", HASH],
            input=json.dumps(files),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(results) == 1


class StandardLibrary:
    """Python's own modules as if they were a project."""

    root = sysconfig.get_path("stdlib")

    def read(self, path: RepoPath) -> bytes | None:
        try:
            with open(os.path.join(self.root, path), "rb") as f:
                return f.read()
        except OSError:
            return None

    def is_dir(self, path: RepoPath) -> bool:
        return os.path.isdir(os.path.join(self.root, path))

    def names(self, path: RepoPath) -> list[str]:
        return sorted(os.listdir(os.path.join(self.root, path)))


def test_real_code_is_analysed_without_a_crash():
    code = ProjectCode(StandardLibrary(), [RepoPath(".")])
    for symbol in ("json.tool:main", "argparse:ArgumentParser", "asyncio.runners:run"):
        found = code.fingerprint(symbol)
        assert symbol in found.code
        # Nothing of the library itself is taken for a package.
        assert not any(os.path.exists(f"{StandardLibrary.root}/{m}.py") for m in found.modules)


CHAIN = """
from lib import prepare
def train():
    return prepare()
== lib.py
import registry
from deep import scale
def prepare():
    return scale() + registry.HANDLERS["x"]
== deep.py
def scale():
    return 1
def unused():
    return 2
== registry.py
HANDLERS = {}
HANDLERS["x"] = 3
"""


def test_a_chain_leads_from_the_stage_to_each_entry(project):
    found = project(CHAIN).fingerprint("pipeline:train")
    assert {entry: found.chain(entry) for entry in found.code} == {
        "pipeline:train": ("pipeline:train",),
        "lib:prepare": ("pipeline:train", "lib:prepare"),
        "deep:scale": ("pipeline:train", "lib:prepare", "deep:scale"),
        "registry:HANDLERS": ("pipeline:train", "lib:prepare", "registry:HANDLERS"),
        "registry:<effects>": (
            "pipeline:train",
            "lib:prepare",
            "registry:HANDLERS",
            "registry:<effects>",
        ),
    }
    assert found.runs == {"pipeline", "lib", "deep", "registry"}


def test_any_name_has_a_hash_though_no_stage_reaches_it(project):
    code = project(CHAIN)
    names = ["deep:unused", "deep:<module>", "registry:<effects>", "deep:no", "nowhere:f"]
    found = code.hashes(names)
    assert list(found) == names
    assert found["deep:no"] is found["nowhere:f"] is None
    edited = project(CHAIN.replace("return 2", "return 3")).hashes(names)
    assert {name for name in names if edited[name] != found[name]} == {
        "deep:unused",
        "deep:<module>",
    }


@pytest.mark.parametrize(
    "edit",
    [
        "from a import Y as X\nk = 1\n",
        "from a import X\nk = 2\n",
        "from a import X\nj = 1\n",
        "from a import *\nk = 1\n",
        "from a import X\nk = 1\nprint()\n",
    ],
)
def test_all_that_a_module_gives_belongs_to_its_hash(project, edit):
    other = "== a.py\nX = Y = 1\n"
    before = project("from a import X\nk = 1\n" + other).hashes(["pipeline:<module>"])
    assert project("from a import X  # same\n\nk = 1\n" + other).hashes(before) == before
    assert project(edit + other).hashes(before) != before


def test_what_symbols_lead_to_is_named_with_its_files(project):
    code = project(CHAIN)
    found = code.reached(["lib:prepare", "no:where", "deep:no"])
    assert found.files == {
        "lib:prepare": "lib.py",
        "deep:scale": "deep.py",
        "registry:HANDLERS": "registry.py",
        "registry:<effects>": "registry.py",
    }
    assert found.runs == {"lib", "deep", "registry"}


def test_a_whole_module_leads_to_all_that_it_defines_and_imports(project):
    code = project(
        """
    from lib import *
    from again import THERE as HERE
    import deep
    def own(): pass
    == lib.py
    def listed(): return helper()
    def helper(): pass
    == again.py
    from there import THERE
    == there.py
    THERE = 1
    OTHER = 2
    == deep.py
    def unused(): pass
    """.replace("\n    ", "\n")
    )
    assert set(code.reached(["pipeline:<module>"]).files) == {
        "pipeline:<module>", "pipeline:own", "lib:listed", "lib:helper", "there:THERE"
    }  # fmt: skip


def test_a_source_that_cant_be_parsed_has_no_hashes(project):
    assert project("def f(:").hashes(["pipeline:f"]) == {"pipeline:f": None}


def test_lines_belong_to_the_symbol_that_they_stand_in(project):
    code = project("import os\n\n\n@print\n@print\ndef f():\n    return 1\n\n\nX = [\n 1]\n")
    places = [(RepoPath("pipeline.py"), line) for line in (1, 4, 5, 7, 9, 11)]
    assert list(code.symbols_at(places).values()) == [
        "pipeline:<module>",
        "pipeline:f",
        "pipeline:f",
        "pipeline:f",
        "pipeline:<module>",
        "pipeline:X",
    ]
    assert code.symbols_at([(RepoPath("data.csv"), 1)]) == {}
