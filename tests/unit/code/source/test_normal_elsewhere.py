"""The golden vectors on other interpreters: the normal form doesn't depend on Python's version."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[4]
GOLDEN = json.loads((Path(__file__).parent / "golden" / "scheme-1.json").read_text())
# The oldest Python whose parser knows the syntax that Pivot's own sources are written in.
VERSIONS = [(3, minor) for minor in range(12, 16) if (3, minor) != sys.version_info[:2]]

PROGRAM = """
import ast, json, sys

sys.path.insert(0, sys.argv[1])
from pivot.code.source.normal import encode

vectors = json.load(sys.stdin)
forms = {s: encode(ast.parse(s)).decode("utf-8", "surrogatepass") for s in vectors}
json.dump({"version": sys.version_info[:2], "forms": forms}, sys.stdout)
"""


def interpreter(version: tuple[int, int]) -> str | None:
    """A Python of this version, on PATH or of pyenv."""
    name = ".".join(map(str, version))
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{name}"), *map(str, versions.glob(f"{name}.*/bin/python"))]
    return next((place for place in found if place and is_one(place, name)), None)


def is_one(place: str, name: str) -> bool:
    """Whether this is an interpreter, and not a shim for one that isn't installed."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([place, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == name


def since(vector: dict[str, str]) -> tuple[int, ...]:
    return tuple(map(int, vector.get("since", "3.12").split(".")))


@pytest.mark.parametrize("version", VERSIONS, ids=[".".join(map(str, v)) for v in VERSIONS])
def test_the_vectors_are_the_same_on_another_python(version):
    place = interpreter(version)
    if place is None:
        pytest.skip(f"no Python {version[0]}.{version[1]} on PATH or among those of pyenv")
    wanted = {s: vector["form"] for s, vector in GOLDEN.items() if since(vector) <= version}
    done = subprocess.run(
        [place, "-W", "ignore", "-c", PROGRAM, str(CHECKOUT)],
        input=json.dumps(list(wanted)), capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert tuple(found["version"]) == version
    assert found["forms"] == wanted
