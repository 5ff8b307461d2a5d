"""Small edits of Python source, each of which may change what it computes.

An edit works on one node of a syntax tree, in place, and is named by the node's number in the
order of `ast.walk` and by its own number among the edits of that node. So a mutant is plain data,
and is made again from the source whenever it is wanted.
"""

import ast
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

Edit = Callable[[], None]

_SWAPPED: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr, ast.BitXor: ast.BitOr, ast.And: ast.Or, ast.Or: ast.And,
    ast.UAdd: ast.USub, ast.USub: ast.UAdd, ast.Invert: ast.USub,
}  # fmt: skip
_NEGATED: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_MOVED: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_BLOCKS: Final = ("body", "orelse", "finalbody")
_DOCUMENTED: Final = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """An edit of a file of a project.

    Attributes:
        file: the path of the file.
        node: which node of its tree.
        edit: which of the edits of that node.
        kind: what is edited, for people and for strata.
        line: where the node stands, 1-based.
        top: the index of the top-level statement that is edited or that holds the node.
    """

    file: str
    node: int
    edit: int
    kind: str
    line: int
    top: int


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a source."""
    tree = ast.parse(source)
    tops = {id(part): i for i, top in enumerate(tree.body) for part in ast.walk(top)}
    silent = _silent(tree)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in silent:
            continue
        for at, (kind, child, _) in enumerate(_edits(node)):
            place = child if isinstance(node, ast.Module) else node
            line = getattr(child, "lineno", getattr(node, "lineno", 0))
            yield Mutant(file, number, at, kind, line, tops[id(place)])


def mutate(source: str, mutant: Mutant) -> str:
    """The text of a mutant."""
    tree = ast.parse(source)
    node = next(n for i, n in enumerate(ast.walk(tree)) if i == mutant.node)
    list(_edits(node))[mutant.edit][2]()
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _silent(tree: ast.Module) -> set[int]:
    """Nodes that no edit may touch, since they never count: docstrings, and what is declared."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and _is_text(node.body[0]):
            found.update(id(part) for part in ast.walk(node.body[0]))
        if isinstance(node, ast.FunctionDef):
            for decorator in filter(_is_declaration, node.decorator_list):
                found.update(id(part) for part in ast.walk(decorator))
    return found


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_declaration(node: ast.expr) -> bool:
    """`@stage(...)`: what it says enters a stage's key by value."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "stage"
    )


def _edits(node: ast.AST) -> Iterator[tuple[str, ast.AST, Edit]]:
    """Each edit of a node by itself: its kind, what it takes away or changes, and how."""
    yield from _blocks(node)
    if isinstance(node, ast.stmt):
        yield from _statement(node)
    elif isinstance(node, ast.expr):
        yield from _expression(node)
    else:
        yield from _part(node)
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield "condition", node, _set(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp | ast.UnaryOp):
        yield from _operator(node)
    if isinstance(node, ast.Return | ast.Yield) and not _is_none(node.value):
        yield "return", node, _set(node, "value", ast.Constant(None))


def _statement(node: ast.stmt) -> Iterator[tuple[str, ast.AST, Edit]]:
    match node:
        case ast.AnnAssign():
            yield "annotation", node, _set(node, "annotation", ast.Name("bytes", ast.Load()))
        case ast.Import() | ast.ImportFrom() if len(node.names) > 1:
            yield "import", node, _crossed(node)
        case ast.Match():
            yield from _items("case", node, "cases", least=2)
        case ast.Try():
            yield from _items("handler", node, "handlers", least=2)
        case ast.ClassDef():
            yield from _items("base", node, "bases")
            yield from _items("base", node, "keywords")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for at, decorator in enumerate(node.decorator_list):
            if not _is_declaration(decorator):
                yield "decorator", node, _without(node.decorator_list, at)


def _expression(node: ast.expr) -> Iterator[tuple[str, ast.AST, Edit]]:
    match node:
        case ast.Constant():
            yield from _literal(node)
        case ast.Compare():
            yield from _comparison(node)
        case ast.Call():
            yield from _call(node)
        case ast.Lambda():
            yield "lambda", node, _set(node, "body", ast.Constant(None))
        case ast.List() | ast.Tuple() | ast.Set() if _is_read(node):
            yield from _items("element", node, "elts")
        case ast.Dict():
            for at in range(len(node.values)):
                yield "element", node, _without_key(node, at)


def _part(node: ast.AST) -> Iterator[tuple[str, ast.AST, Edit]]:
    match node:
        case ast.comprehension():
            yield from _items("condition", node, "ifs")
        case ast.arguments():
            yield from _arguments(node)
        case ast.ExceptHandler() if node.type is not None:
            yield "handler", node, _set(node, "type", ast.Name("ZeroDivisionError", ast.Load()))


def _blocks(node: ast.AST) -> Iterator[tuple[str, ast.AST, Edit]]:
    """Each statement that can be left out."""
    for block in _BLOCKS:
        statements = getattr(node, block, None)
        if not isinstance(statements, list):
            continue
        for at, statement in enumerate(statements):
            docstring = at == 0 and isinstance(node, _DOCUMENTED) and _is_text(statement)
            if not docstring and not isinstance(statement, ast.Pass):
                yield _kind(node, statement), statement, _passed(statements, at)


def _kind(parent: ast.AST, statement: ast.stmt) -> str:
    match parent, statement:
        case _, ast.Import() | ast.ImportFrom():
            return "import"
        case ast.Module() | ast.ClassDef(), ast.FunctionDef() | ast.ClassDef():
            return "definition"
        case ast.Module(), ast.Assign() | ast.AnnAssign():
            return "constant"
        case ast.ClassDef(), _:
            return "class attribute"
        case ast.Module(), _:
            return "effect"
    return "statement"


def _literal(node: ast.Constant) -> Iterator[tuple[str, ast.AST, Edit]]:
    match node.value:
        case bool() as value:
            yield "literal", node, _set(node, "value", not value)
        case int() | float() | complex() as value:
            yield "literal", node, _set(node, "value", value * 2 + 1)
        case str() as value:
            yield "literal", node, _set(node, "value", value + "x")
        case bytes() as value:
            yield "literal", node, _set(node, "value", value + b"x")
        case None:
            yield "literal", node, _set(node, "value", 0)


def _operator(
    node: ast.BinOp | ast.AugAssign | ast.BoolOp | ast.UnaryOp,
) -> Iterator[tuple[str, ast.AST, Edit]]:
    if isinstance(node.op, ast.Not) and isinstance(node, ast.UnaryOp):
        yield "operator", node, _set(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    else:
        yield "operator", node, _set(node, "op", _SWAPPED[type(node.op)]())


def _comparison(node: ast.Compare) -> Iterator[tuple[str, ast.AST, Edit]]:
    for swaps in (_NEGATED, _MOVED):
        other = swaps.get(type(node.ops[0]))
        if other is not None:
            yield "comparison", node, _set(node, "ops", [other(), *node.ops[1:]])


def _call(node: ast.Call) -> Iterator[tuple[str, ast.AST, Edit]]:
    yield from _items("argument", node, "args")
    yield from _items("keyword", node, "keywords")
    for keyword in node.keywords:
        if keyword.arg is not None:
            yield "keyword", node, _set(keyword, "arg", keyword.arg + "_")
    if len(node.args) > 1:
        yield "argument", node, _set(node, "args", node.args[::-1])


def _arguments(node: ast.arguments) -> Iterator[tuple[str, ast.AST, Edit]]:
    for at in range(len(node.defaults)):
        yield "default", node, _put(node.defaults, at, ast.Constant("mutated"))
    for at, default in enumerate(node.kw_defaults):
        if default is not None:
            yield "default", node, _put(node.kw_defaults, at, ast.Constant("mutated"))
            yield "default", node, _put(node.kw_defaults, at, None)
    if node.defaults:
        yield "default", node, _without(node.defaults, 0)


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _is_read(node: ast.List | ast.Tuple | ast.Set) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load | None)


def _items(
    kind: str, node: ast.AST, field: str, *, least: int = 1
) -> Iterator[tuple[str, ast.AST, Edit]]:
    """Each item of a list left out, as long as `least` were there."""
    items = getattr(node, field)
    if len(items) >= least:
        for at in range(len(items)):
            yield kind, node, _without(items, at)


def _set(node: ast.AST, field: str, value: object) -> Edit:
    return lambda: setattr(node, field, value)


def _put[T](items: list[T], at: int, value: T) -> Edit:
    return lambda: items.__setitem__(at, value)


def _without(items: list[ast.AST] | list[ast.expr], at: int) -> Edit:
    return lambda: items.__delitem__(at)


def _passed(statements: list[ast.stmt], at: int) -> Edit:
    return _put(statements, at, ast.Pass())


def _without_key(node: ast.Dict, at: int) -> Edit:
    def edit() -> None:
        del node.keys[at], node.values[at]

    return edit


def _crossed(node: ast.Import | ast.ImportFrom) -> Edit:
    """The first two names of an import, each bound to what the other one stood for."""

    def edit() -> None:
        first, second = node.names[:2]
        names = [alias.asname or alias.name for alias in (first, second)]
        node.names[:2] = [ast.alias(second.name, names[0]), ast.alias(first.name, names[1])]

    return edit


@functools.cache
def bound_by_top(source: str, top: int) -> frozenset[str]:
    """The names that a top-level statement defines; none for imports and mere actions."""
    statement = ast.parse(source).body[top]
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return frozenset({statement.name})
        case ast.Assign() | ast.AnnAssign() | ast.TypeAlias():
            stored = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
            return frozenset(n.id for n in stored if isinstance(n.ctx, ast.Store))
    return frozenset()
