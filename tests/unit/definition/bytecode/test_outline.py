"""Going through the statements of modules without running them."""

import sysconfig
import warnings
from pathlib import Path

import pytest

from pivot.definition.bytecode.outline import outline

LIBRARY = Path(sysconfig.get_path("stdlib"))
EVERY = 25


class Modules:
    """All modules are libraries, but for one."""

    def is_own(self, name):
        return name == "own"

    def is_named(self, name):
        return name == "own"


def statements(text):
    return outline(compile(text, "m.py", "exec", dont_inherit=True), Modules()).statements


def held(text):
    """The names that are held, beside those of statements that only make values."""
    return {m for s in statements(text) for m in s.held if isinstance(m, str)}


@pytest.mark.parametrize(
    "text",
    [
        "A = 1",
        "A: int = -1",
        "A = B = (1, [2, {'a': {3}}])",
        "A = 2\nB = A * 3 - A / 4",
        "A = {'b': 1}\nB = tuple(sorted(A))",
        "A, (B, C) = 1, (2, 3)",
        "def f(a: list[int] | None = None, *, b=len('abc')) -> dict[str, int]: return g(a)",
        "async def f(a): await g(a)",
        "class A(Exception):\n    a = 1\n    @staticmethod\n    def f(): return g()",
        "if __name__ == '__main__':\n    run()",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import own",
        "import os.path as p\nA = p.sep",
        "A = lambda: own()",
    ],
)
def test_what_only_makes_values_holds_nothing(text):
    assert held(text) == set()
    assert not any(s.counts for s in statements(text))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("f(A)", {"f", "A"}),
        ("A = 1\nB = 2\nC = f(A), B", {"f", "A"}),
        ("A = 1\nfor i in f():\n    A += i\nB = A", {"f", "A", "i"}),
        ("A = 1\ntry:\n    B = A\nfinally:\n    C = 2\nD = 3\nE = f(D)", {"A", "B", "C", "D", "f"}),
        ("A = 1\n@f\ndef g(a=A): ...", {"f", "A"}),
        ("A = B = 1\nclass C(f):\n    c = A\nD = B", {"f", "A"}),
        ("A = [1]\nf(A)\nB = A[0]", {"f", "A"}),
        ("A = {}\nA['b'] = B = 1", {"A"}),
        ("A = 'a' - 1", set()),
    ],
)
def test_what_something_is_done_with_is_held(text, names):
    assert held(text) - {"__name__"} == names
    assert any(s.counts for s in statements(text))


def test_own_modules_are_told_from_libraries():
    own, library = statements("from own import a as b\nfrom lib import c")
    assert own.counts
    assert own.wanted == ("a",)
    assert not library.counts
    assert set(library.needs) == {"lib", "lib:c"}


@pytest.mark.parametrize("first", range(4))
def test_any_module_can_be_gone_through(first):
    """Statements come in order, without gaps that run."""
    for file in sorted(LIBRARY.rglob("*.py"))[first * EVERY // 4 :: EVERY]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
            except (SyntaxError, ValueError):  # some are there to be refused
                continue
        places = [(s.start, s.end) for s in outline(code, Modules()).statements]
        assert [offset for place in places for offset in place] == sorted(
            offset for place in places for offset in place
        )
