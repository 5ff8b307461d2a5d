"""Whatever is written differently and means the same has the same fingerprints."""

import ast
import functools
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pivot.code.fingerprint import ProjectCode
from pivot.code.source.syntax import parse
from pivot.paths import RepoPath
from tests.fingerprint.memory import InMemory
from tests.fingerprint.metamorphic.programs import modules
from tests.fingerprint.metamorphic.sources import REPOSITORY, REWRITINGS, real_files

# Bytes that are right in every interpreter, for those that run with other settings.
IN_ANOTHER_PROCESS = """
import sys, json
from tests.fingerprint.metamorphic.test_rewriting import fingerprints
print(json.dumps([fingerprints(text) for text in json.load(sys.stdin)]))
"""


NAME = "rewritten_here"  # what no source mentions, which would then read itself


def fingerprints(source: str, root: str = ".") -> dict[str, object]:
    """For each function and class of a module, everything that enters a key."""
    path = f"{NAME}.py" if root == "." else f"{root}/{NAME}.py"
    code = ProjectCode(InMemory({path: source.encode()}), [RepoPath(root)])
    tree = parse(source)
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    found = {name: code.fingerprint(f"{NAME}:{name}") for name in sorted(names)}
    return {name: [dict(f.code), sorted(f.modules)] for name, f in found.items()}


@functools.cache
def real_text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@functools.cache
def real_fingerprints(file: Path) -> Mapping[str, object]:
    return fingerprints(real_text(file))


@pytest.mark.parametrize("rewriting", REWRITINGS)
@given(file=st.sampled_from(real_files()), variant=st.integers(0, 1 << 16))
def test_real_code_rewritten_has_the_same_fingerprints(rewriting, file, variant):
    rewritten = REWRITINGS[rewriting](real_text(file), variant)
    assert fingerprints(rewritten) == real_fingerprints(file), file


@pytest.mark.parametrize("rewriting", REWRITINGS)
@given(source=modules, variant=st.integers(0, 1 << 16))
@example("def train(x, y):\n    del (x, [y])\n", 0)
@example("def train():\n    return f'{x:}' 'a' f''\n", 0)
def test_made_up_code_rewritten_has_the_same_fingerprints(rewriting, source, variant):
    try:
        parse(source)
    except (SyntaxError, ValueError):
        assume(False)
    rewritten = REWRITINGS[rewriting](source, variant)
    assert fingerprints(rewritten) == fingerprints(source)


@pytest.mark.parametrize("root", ["src", "a/deep/one"])
@given(file=st.sampled_from(real_files()))
def test_another_folder_gives_the_same_fingerprints(root, file):
    assert fingerprints(real_text(file), root) == real_fingerprints(file)


def test_other_processes_and_hash_seeds_give_the_same_fingerprints():
    files = random.Random(0).sample(real_files(), 12)
    texts = [real_text(file) for file in files]
    expected = [real_fingerprints(file) for file in files]
    for seed in ("0", "4242"):
        assert _elsewhere(texts, seed) == expected


def _elsewhere(texts: list[str], seed: str) -> list[object]:
    import json

    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
    )
    return json.loads(done.stdout)


def test_rewritings_change_what_they_are_given():
    """A rewriting that does nothing would prove nothing."""
    files = random.Random(1).sample(real_files(), 5)
    for name, rewrite in REWRITINGS.items():
        texts = [real_text(file) for file in files]
        assert [rewrite(text, 7) for text in texts] != texts, name
