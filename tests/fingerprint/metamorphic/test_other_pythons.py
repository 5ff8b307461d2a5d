"""Every Python that parses a source gives it the same normal form.

The interpreters are those that this machine has; `.ci/find-python` looks at the same places.
"""

import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pivot.code.source.normal import encode
from pivot.code.source.syntax import parse
from tests.fingerprint.metamorphic.sources import REPOSITORY, real_files

HOME = os.path.expanduser("~")  # before a test is given another one
VERSIONS = ("3.12", "3.13", "3.14", "3.15")
# Other interpreters lack what Pivot is installed with, so the package's own start is left out.
FORMS = """
import hashlib, json, sys, types
package = types.ModuleType("pivot")
package.__path__ = [sys.argv[1]]
sys.modules["pivot"] = package
from pivot.code.source.normal import encode
from pivot.code.source.syntax import parse

def form(source):
    try:
        return hashlib.sha256(encode(parse(source))).hexdigest()
    except (SyntaxError, ValueError):
        return None  # newer syntax

print(json.dumps([form(source) for source in json.load(sys.stdin)]))
"""
# What versions have been seen to parse into different trees.
DELICATE = [
    *("f'a{x}b' 'c'", "f''", "'' f'{x}'", "f'{x:}'", "f'{x:{y}}'", "f'{x:a{y}b}'", "f'{x!r:>{y}}'"),
    *("f'{x=}'", "f'{x = !s}'", "f'{{{x}}}'", "f'\\N{EM DASH}{x}'", "rf'\\d{x}'", "f'{x:\\n}'"),
    *("class A[T]: pass", "type X[*T] = int", "def f[**P](): pass", "try: x\nexcept* E: y"),
    *("x[*a]", "def f(*a: *b): pass", "with (a as b, c): pass", "for x in *a, b: pass"),
    *("match x:\n case {'a': 1, **r}: pass", "lambda *, a=1: a", "def f(a, /, b=1, *, c): pass"),
    *("'''doc'''\nx", "def f():\n  'doc'\n", "-1", "1 + 2j", "0.1 + 0xff", "'\\ud800'", "b'\\xff'"),
]


def interpreters() -> dict[str, str]:
    """Executables of other versions of Python, by version."""
    found: dict[str, str] = {}
    for version in VERSIONS:
        places = glob.glob(f"{HOME}/.pyenv/versions/{version}*/bin/python")
        places += [p for p in (shutil.which(f"python{version}"),) if p]
        runs = [place for place in places if _version(place) == version]
        if runs and version != f"{sys.version_info[0]}.{sys.version_info[1]}":
            found[version] = runs[0]
    return found


def _version(executable: str) -> str:
    """What an executable says it is; a shim of a version that isn't chosen says nothing."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def others() -> dict[str, str]:
    found = interpreters()
    if not found:
        pytest.skip(f"no other Python of {', '.join(VERSIONS)} is here; pyenv can install one")
    return found


def test_other_pythons_give_the_same_normal_form(others):
    files = random.Random(0).sample(real_files(), 60)
    sources = [*DELICATE, *(file.read_text(encoding="utf-8") for file in files)]
    expected = [hashlib.sha256(encode(parse(source))).hexdigest() for source in sources]
    for version, executable in others.items():
        forms = _forms(executable, sources)
        known = [(source, e, f) for source, e, f in zip(sources, expected, forms, strict=True) if f]
        assert len(known) > len(sources) / 2, version
        assert [s[:60] for s, e, f in known if e != f] == [], version


def _forms(executable: str, sources: list[str]) -> list[str | None]:
    done = subprocess.run(
        [executable, "-I", "-c", FORMS, str(Path(REPOSITORY) / "pivot")],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    forms: list[str | None] = json.loads(done.stdout)
    return forms
