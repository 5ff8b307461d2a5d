"""The normal form: its golden vectors, its coverage of Python, its indifference to layout."""

import ast
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.code.source import normal
from pivot.code.source.normal import covers, encode, unknown_fields
from pivot.errors import DefinitionError
from pivot.hashing import hash_bytes

GOLDEN = json.loads((Path(__file__).parent / "golden" / "scheme-1.json").read_text())
VERSION = sys.version_info[:2]

# Parts of a tree that carry no meaning of their own, and classes that no parser makes any more.
WITHOUT_FORM = {
    *("AST", "mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop"),
    *("excepthandler", "pattern", "type_ignore", "type_param", "TypeIgnore"),
    *("Load", "Store", "Del", "AugLoad", "AugStore", "Param", "Suite"),
    *("slice", "Index", "ExtSlice", "Num", "Str", "Bytes", "NameConstant", "Ellipsis"),
}


# Kinds of trees that `ast.parse` gives only if it is asked for something else than a file.
OTHER_MODES = {"Interactive", "Expression", "FunctionType"}


def since(source: str) -> tuple[int, ...]:
    """The first Python that can parse a vector."""
    return tuple(map(int, GOLDEN[source].get("since", "3.12").split(".")))


@pytest.mark.parametrize("source", GOLDEN, ids=[source[:40] for source in GOLDEN])
def test_scheme_1_never_changes(source):
    form = encode(tree_of(source))
    assert form.decode("utf-8", "surrogatepass") == GOLDEN[source]["form"]
    assert str(hash_bytes(form)) == GOLDEN[source]["hash"]


def tree_of(source: str) -> ast.Module:
    """The tree that the first Python with this syntax makes of a vector, or one just like it."""
    if since(source) > VERSION:
        return STAND_INS[source]()
    return ast.parse(source)


class TemplateStr(ast.expr):
    """As in Python 3.14."""

    _fields = ("values",)


class Interpolation(ast.expr):
    """As in Python 3.14; `str` is its text."""

    _fields = ("value", "str", "conversion", "format_spec")


def template(*values: ast.expr) -> ast.Module:
    node = TemplateStr()
    node.values = list(values)
    return ast.Module([ast.Expr(node)], [])


def interpolation(name: str, conversion: int = -1, spec: ast.expr | None = None) -> Interpolation:
    node = Interpolation()
    node.value, node.str = ast.Name(name, ast.Load()), name
    node.conversion, node.format_spec = conversion, spec
    return node


STAND_INS = {
    "try: a\nexcept B, C: d": lambda: ast.parse("try: a\nexcept (B, C): d"),
    "t''": template,
    "t'a'": lambda: template(ast.Constant("a")),
    "t'{a}'": lambda: template(interpolation("a")),
    "t'a{b}c'": lambda: template(ast.Constant("a"), interpolation("b"), ast.Constant("c")),
    "t'{a!r:>{b}}'": lambda: template(interpolation("a", ord("r"), f_string("f'>{b}'"))),
}


def f_string(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def test_the_vectors_have_every_kind_of_node_and_every_operator():
    forms = "".join(vector["form"] for vector in GOLDEN.values())
    kinds = {kind.__name__ for kind in vars(ast).values() if isinstance(kind, type)}
    kinds |= {"TemplateStr", "Interpolation"}
    wanted = {kind for kind in kinds - OTHER_MODES - WITHOUT_FORM if is_node(kind)}
    assert len(wanted) > 100
    assert {kind for kind in wanted if f"({kind}" not in forms} == {"Constant"}
    for kind in ("int", "float", "complex", "str", "bytes", "bool", "NoneType", "ellipsis"):
        assert f"(K{kind} " in forms


def is_node(name: str) -> bool:
    return issubclass(getattr(ast, name, ast.AST), ast.AST)


NODES = [
    kind
    for name, kind in vars(ast).items()
    if name[:1] != "_" and isinstance(kind, type) and issubclass(kind, ast.AST)
    if kind.__name__ not in WITHOUT_FORM
]


@pytest.mark.parametrize("kind", NODES, ids=[kind.__name__ for kind in NODES])
def test_every_kind_of_node_has_a_form_with_all_its_fields(kind):
    assert covers(kind), f"Python {sys.version} has a new kind of node: {kind.__name__}"
    assert unknown_fields(kind) == (), f"{kind.__name__} has got new fields"


def test_a_field_that_a_newer_python_added_is_refused_where_it_says_something(monkeypatch):
    monkeypatch.setitem(normal._NOVEL, "Import", ("is_lazy",))
    monkeypatch.setattr(normal, "_FORMS", normal._Forms())
    tree = ast.parse("import a")
    plain = encode(tree)
    tree.body[0].is_lazy = 0
    assert encode(tree) == plain
    tree.body[0].is_lazy = 1
    with pytest.raises(DefinitionError, match=r"Import\.is_lazy"):
        encode(tree)


def test_new_fields_are_found_by_name():
    class Import(ast.Import):
        _fields = (*ast.Import._fields, "is_lazy")

    assert unknown_fields(Import) == ("is_lazy",)


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


def test_a_deep_tree_has_the_form_that_it_has_where_recursion_is_allowed():
    body = " + ".join(["f(x)[0].y"] * sys.getrecursionlimit())
    tree = ast.parse(
        f"def f(a, *, b=1):\n    'text'\n    return [{body}, f'{{a}}b', {{'y', 'x'}}]\n"
    )
    deep = encode(tree)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit * 20)
    try:
        assert encode(tree) == deep
    finally:
        sys.setrecursionlimit(limit)


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
