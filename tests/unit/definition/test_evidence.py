import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pivot.definition.definitions import decode, encode
from pivot.definition.ownership import SHARED_MEMORY
from tests.unit.definition.conftest import Project

STAGE = "from pivot import stage\n@stage()\ndef f(): ...\n"
LATER = 1_700_000_100_000_000_000


def edited(project, name, text):
    path = project.write(name, text)
    os.utime(path, ns=(LATER, LATER))


@pytest.fixture(scope="module")
def template(other_project):
    """A project whose definitions look around in every way that leaves evidence of its own."""
    project = other_project
    project.write("pkg/__init__.py", "")
    project.write("pkg/helper.py", "X = 1\n")
    project.write("settings.json", "{}")
    project.write("data/raw/a.csv", "1")
    project.write("maybe/exists", "")
    project.write("sized", "12")
    project.write("params.yaml", "f: {rate: 1}")
    definitions = project.load(
        """
        import json, os
        from pathlib import Path
        from pydantic import BaseModel
        from pivot import stage
        from pkg import helper
        try:
            import optional
        except ImportError:
            optional = None
        HERE = Path(__file__).resolve().parent
        json.loads((HERE / "settings.json").read_text())
        names = [p.name for p in (HERE / "data/raw").glob("*.csv")]
        flags = [os.path.exists("maybe/exists"), Path("maybe/missing").is_file()]
        size = os.path.getsize("sized")
        region = os.environ.get("EVIDENCE_REGION"), os.getenv("EVIDENCE_UNSET")
        class P(BaseModel):
            rate: float = 0.1
        @stage(params=P)
        def f(params): ...
        """
    )
    assert definitions.evidence.impurities == ()
    return project.root, definitions


@pytest.fixture
def loaded(project, template):
    """The template's definitions, and a copy of it as the project."""
    root, definitions = template
    shutil.copytree(root, project.root, dirs_exist_ok=True)
    return definitions


CHANGES = {
    "an edited pipeline": lambda p: edited(p, "pipeline.py", STAGE),
    "an edited helper": lambda p: edited(p, "pkg/helper.py", "X = 2\n"),
    "an edited package": lambda p: edited(p, "pkg/__init__.py", "Y = 1\n"),
    "a removed helper": lambda p: (p.root / "pkg/helper.py").unlink(),
    "an edited file": lambda p: edited(p, "settings.json", "[]"),
    "a removed file": lambda p: (p.root / "settings.json").unlink(),
    "an edited params.yaml": lambda p: edited(p, "params.yaml", "f: {rate: 2}"),
    "a removed params.yaml": lambda p: (p.root / "params.yaml").unlink(),
    "a new file in a listed folder": lambda p: p.write("data/raw/b.csv", ""),
    "a renamed file in a listed folder": lambda p: (p.root / "data/raw/a.csv").rename(
        p.root / "data/raw/c.csv"
    ),
    "a removed path that was asked for": lambda p: (p.root / "maybe/exists").unlink(),
    "a path that was missing": lambda p: p.write("maybe/missing", ""),
    "another size": lambda p: p.write("sized", "123"),
    "a module that was missing": lambda p: p.write("optional.py", ""),
    "a package that was missing": lambda p: p.write("optional/__init__.py", ""),
    "a module that hides an installed one": lambda p: p.write("pydantic.py", ""),
    "a package that hides a module": lambda p: p.write("pkg/helper/__init__.py", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_change_of_what_was_looked_at_is_noticed(project, loaded, change):
    assert project.holds(loaded)
    change(project)
    assert not project.holds(loaded)


@pytest.mark.parametrize("name", ["EVIDENCE_REGION", "EVIDENCE_UNSET", "PYTHONPATH"])
def test_variable_that_was_read_is_noticed(project, loaded, monkeypatch, name):
    monkeypatch.setenv(name, "other")
    assert not project.holds(loaded)


def test_change_of_anything_else_is_not_noticed(project, loaded, monkeypatch):
    for name in (
        "notes.txt",
        "notes.py",
        "data/b.csv",
        "pkg/unused.py",
        "maybe/other",
        "out/model",
    ):
        project.write(name, "new")
    os.utime(project.root / "settings.json")
    os.utime(project.root / "pipeline.py")
    monkeypatch.setenv("EVIDENCE_UNRELATED", "1")
    assert project.holds(loaded)


def test_evidence_survives_encoding_and_keeps_no_values(project, loaded, monkeypatch):
    assert project.holds(decode(encode(loaded)))
    monkeypatch.setenv("EVIDENCE_REGION", "very secret")
    again = project.load()
    assert b"very secret" not in encode(again)
    assert project.holds(again)
    monkeypatch.delenv("EVIDENCE_REGION")
    assert not project.holds(again)


def test_check_takes_milliseconds(project, loaded):
    decoded = decode(encode(loaded))
    best = min(_seconds(project, decoded) for _ in range(5))
    assert best < 0.01


def _seconds(project, definitions):
    start = time.perf_counter()
    assert project.holds(definitions)
    return time.perf_counter() - start


def test_project_that_imports_large_libraries_holds(project):
    for _ in range(2):
        definitions = project.load("import numpy, pandas, yaml\n" + STAGE)
        assert definitions.evidence.impurities == ()
        assert project.holds(definitions)
    foreign = [f for f in definitions.evidence.files if f.startswith("/")]
    assert foreign == []
    assert definitions.evidence.listings == {}


def test_newly_installed_distribution_is_noticed(project):
    site = project.root.parent / "lib" / "site-packages"
    site.mkdir(parents=True)
    definitions = project.load(f"import sys\nsys.path.append({str(site)!r})\n" + STAGE)
    assert project.holds(definitions)
    (site / "new-1.0.dist-info").mkdir()
    assert not project.holds(definitions)


def test_enumerated_environment_is_compared_as_a_whole(project, monkeypatch):
    definitions = project.load("import os\nall = dict(os.environ)\n" + STAGE)
    assert project.holds(definitions)
    monkeypatch.setenv("EVIDENCE_NEW", "1")
    assert not project.holds(definitions)


def test_variable_that_the_code_sets_itself_is_compared_with_what_it_was_before(project):
    definitions = project.load(
        "import os\nos.environ['EVIDENCE_SET'] = '1'\nos.environ['EVIDENCE_SET']\n" + STAGE
    )
    assert project.holds(definitions)


def test_file_outside_of_the_project_and_dynamic_code_are_noticed(project, tmp_path, monkeypatch):
    outside = tmp_path / "outside.txt"
    outside.write_text("a")
    project.write("extra.py", "Y = 1\n")
    code = f"""
import importlib.util
open({str(outside)!r}).read()
spec = importlib.util.spec_from_file_location("extra", "extra.py")
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for _ in range(2):  # the second time from bytecode
        definitions = project.load(code + STAGE)
        assert project.holds(definitions)
    assert {str(outside), "extra.py"} <= definitions.evidence.files.keys()


def test_link_that_points_elsewhere_is_noticed(project):
    project.write("one/x", "")
    project.write("two/x", "")
    (project.root / "current").symlink_to("one")
    definitions = project.load("import os\nos.path.realpath('current')\n" + STAGE)
    assert project.holds(definitions)
    (project.root / "current").unlink()
    (project.root / "current").symlink_to("two")
    assert not project.holds(definitions)


IMPURE = {
    "import subprocess; subprocess.run(['true'])": "subprocess.Popen",
    "import os; os.system('true')": "os.system",
    "import socket; socket.gethostname()": "socket.gethostname",
    "import time; time.time()": "time.time",
    "from time import time_ns as t; t()": "time.time_ns",
    "import datetime; datetime.datetime.now()": "datetime.now",
    "from datetime import date; date.today()": "date.today",
    "import random; random.random()": "random.random",
    "from random import choice; choice([1, 2])": "random.choice",
    "import random; random.Random()": "random.Random",
    "import os; os.urandom(4)": "os.urandom",
    "import uuid; uuid.uuid4()": "uuid.uuid4",
    "import secrets; secrets.token_hex()": "secrets.token_hex",
    "import numpy; numpy.random.rand()": "numpy.random.rand",
    "import numpy; numpy.random.default_rng()": "numpy.random.default_rng",
    "open('/proc/self/status').read()": "open /proc/self/status",
}


def test_what_can_not_be_checked_later_makes_uncacheable_and_is_named(project):
    project.write("helper.py", "\n".join(IMPURE))
    definitions = project.load("import helper\n" + STAGE)
    found = [(i.what, i.file, i.line) for i in definitions.evidence.impurities]
    assert found == [(what, "helper.py", n) for n, what in enumerate(IMPURE.values(), start=1)]
    assert not definitions.evidence.cacheable
    assert not project.holds(decode(encode(definitions)))


PURE = [
    "import random; random.Random(42).random()",
    "import logging; logging.warning('x')",
    "import numpy; numpy.random.default_rng(42).random()",
    "import datetime; datetime.datetime(2024, 1, 1)",
    "import time; time.strptime('2024', '%Y')",
    "import tempfile, uuid, secrets, random, socket, subprocess, asyncio",
    "import warnings; warnings.warn('x')",
    "import pandas; pandas.read_csv('table.csv')",
    "open('/dev/null').read()",
    "open('written.txt', 'w').write('x')",
    "def stage_body():\n    import time; time.time()",
]


def test_what_is_harmless_stays_cacheable(project):
    project.write("table.csv", "a\n1\n")
    definitions = project.load("\n".join(PURE) + "\n" + STAGE)
    assert definitions.evidence.impurities == ()
    assert project.holds(definitions)


@pytest.mark.skipif(not os.path.isdir(SHARED_MEMORY), reason="Linux has shared memory there")
def test_file_of_a_project_in_shared_memory_is_evidence_as_any_other():
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        project = Project(Path(folder))
        project.write("settings.json", "{}")
        definitions = project.load("open('settings.json').read()\n" + STAGE)
        assert definitions.evidence.cacheable
        assert project.holds(definitions)
        project.write("settings.json", "[]")
        assert not project.holds(definitions)


def test_source_that_changes_while_it_loads_is_not_cached(project):
    definitions = project.load("open(__file__, 'a').write('# more\\n')\n" + STAGE)
    assert [i.what for i in definitions.evidence.impurities] == ["changed while it was loaded"]


def test_other_interpreter_is_noticed(project, monkeypatch):
    definitions = project.load(STAGE)
    assert project.holds(definitions)
    monkeypatch.setattr(sys, "version", "3.99")
    assert not project.holds(definitions)
