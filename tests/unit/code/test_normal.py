"""The normal form: its golden vectors, its coverage of Python, its indifference to layout."""

import ast
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.code.normal import covers, encode
from pivot.errors import DefinitionError
from pivot.hashing import hash_bytes

GOLDEN = json.loads((Path(__file__).parent / "golden" / "scheme-1.json").read_text())

# Parts of a tree that carry no meaning of their own, and classes that no parser makes any more.
WITHOUT_FORM = {
    *("AST", "mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop"),
    *("excepthandler", "pattern", "type_ignore", "type_param", "TypeIgnore"),
    *("Load", "Store", "Del", "AugLoad", "AugStore", "Param", "Suite"),
    *("slice", "Index", "ExtSlice", "Num", "Str", "Bytes", "NameConstant", "Ellipsis"),
}


@pytest.mark.parametrize("source", GOLDEN, ids=[source[:40] for source in GOLDEN])
def test_scheme_1_never_changes(source):
    assert str(hash_bytes(encode(ast.parse(source)))) == GOLDEN[source]


@pytest.mark.parametrize(
    "kind",
    [kind for name, kind in vars(ast).items() if isinstance(kind, type) and name[:1] != "_"],
)
def test_every_kind_of_node_has_a_form(kind):
    if issubclass(kind, ast.AST) and kind.__name__ not in WITHOUT_FORM:
        assert covers(kind)


def test_an_unknown_kind_of_node_is_refused():
    class Novelty(ast.expr):
        _fields = ()

    with pytest.raises(DefinitionError, match="Novelty"):
        encode(ast.Expr(Novelty()))


@pytest.mark.parametrize(
    "pair",
    [
        ("f(a, b)", "f((a, b))"),
        ("f(*a)", "f(a)"),
        ("[a, b]", "(a, b)"),
        ("a - (b - c)", "a - b - c"),
        ("{**a}", "{'a': a}"),
        ("x[1:]", "x[:1]"),
        ("x[1,]", "x[1]"),
        ("f(a=1)", "f(b=1)"),
        ("not a", "-a"),
        ("'1'", "b'1'"),
        ("1", "1.0"),
        ("1.0", "1j"),
        ("0.0", "-0.0"),
        ("None", "'None'"),
        ("...", "''"),
        ("f'{x!r}'", "f'{x!s}'"),
        ("f'{x}a'", "f'a{x}'"),
        ("lambda a, /: a", "lambda a: a"),
        ("lambda *, a: a", "lambda a: a"),
        ("lambda *a: a", "lambda **a: a"),
        ("[x for x in a if b]", "[x for x in a]"),
        ("[x async for x in a]", "[x for x in a]"),
        ("a < b < c", "(a < b) < c"),
        ("x: int = 1", "(x): int = 1"),
        ("{8, 0}", "{0, 8}"),
        ("{1, True}", "{True, 1}"),
        ("del x, y", "del x[y]"),
    ],
)
def test_different_meanings_have_different_forms(pair):
    first, second = (encode(ast.parse(source)) for source in pair)
    assert first != second


def test_a_long_chain_is_deeper_than_the_recursion_limit():
    tree: ast.expr = ast.Name("a", ast.Load())
    for _ in range(sys.getrecursionlimit() * 3):
        tree = ast.BinOp(tree, ast.Add(), ast.Constant(1))
    assert encode(tree).count(b"BinOp") == sys.getrecursionlimit() * 3


def test_a_huge_integer_has_a_form():
    assert encode(ast.Constant(1 << 100_000)) != encode(ast.Constant(1 << 100_001))


CONSTANTS = st.one_of(
    *(st.none(), st.booleans(), st.integers(-2, 2), st.text(max_size=2), st.binary(max_size=2)),
    st.sampled_from([0.0, -0.0, 1.0, 2.5, 1j, float("inf"), ..., "1", b"1", "None", "(K"]),
)


@given(CONSTANTS, CONSTANTS)
def test_constants_have_equal_forms_only_if_they_are_the_same(a, b):
    same = (type(a), repr(a)) == (type(b), repr(b))
    assert (encode(ast.Constant(a)) == encode(ast.Constant(b))) == same


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_text_never_runs_over_into_its_neighbour(a, b, c, d):
    forms = [encode(ast.Tuple([ast.Constant(x), ast.Constant(y)])) for x, y in [(a, b), (c, d)]]
    assert (forms[0] == forms[1]) == ((a, b) == (c, d))


@pytest.mark.parametrize("module", ["dataclasses", "textwrap", "functools", "argparse", "typing"])
def test_reformatting_a_module_keeps_its_form(module):
    tree = ast.parse(Path(sys.modules["os"].__file__ or "").with_name(f"{module}.py").read_bytes())
    assert encode(ast.parse(ast.unparse(tree))) == encode(tree)
