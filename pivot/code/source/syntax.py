"""From source text to a syntax tree, silently; and the ways through such a tree."""

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

# Node kinds without anything below them, and never looked at: there are as many as names.
_MARKS: Final = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)

type _Below = Callable[[Any], Sequence[ast.AST]]


def _node_type(annotation: object) -> type[ast.AST] | None:
    """The node kind that a field's type speaks of: `expr`, `expr | None`, `list[expr]`."""
    parts = (annotation, *getattr(annotation, "__args__", ()))
    kinds = (part for part in parts if isinstance(part, type) and issubclass(part, ast.AST))
    return next(kinds, None)


def _fields_with_nodes(kind: type[ast.AST]) -> tuple[str, ...]:
    kinds = {name: _node_type(type_) for name, type_ in getattr(kind, "_field_types", {}).items()}
    return tuple(name for name, k in kinds.items() if k is not None and not issubclass(k, _MARKS))


def _in_fields(fields: tuple[str, ...]) -> _Below:
    """What stands in these fields of a node, some of which are lists or empty."""

    def below(node: ast.AST) -> Sequence[ast.AST]:
        found: list[ast.AST] = []
        for field in fields:
            value = getattr(node, field, None)
            if type(value) is list:
                found += [one for one in value if one is not None]
            elif value is not None:
                found.append(value)
        return found

    return below


_BY_FIELDS: Final[dict[type[ast.AST], _Below]] = {
    kind: _in_fields(fields)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and (fields := _fields_with_nodes(kind))
}
# The kinds that most nodes are of, so that no field of them is looked at in vain.
_COMMON: Final[dict[type[ast.AST], _Below]] = {
    ast.Attribute: lambda node: (node.value,),
    ast.Call: lambda node: (node.func, *node.args, *node.keywords),
    ast.Subscript: lambda node: (node.value, node.slice),
    ast.BinOp: lambda node: (node.left, node.right),
    ast.Compare: lambda node: (node.left, *node.comparators),
    ast.BoolOp: lambda node: node.values,
    ast.Tuple: lambda node: node.elts,
    ast.List: lambda node: node.elts,
    ast.keyword: lambda node: (node.value,),
    ast.Assign: lambda node: (*node.targets, node.value),
    ast.Expr: lambda node: (node.value,),
    ast.If: lambda node: (node.test, *node.body, *node.orelse),
    ast.Return: lambda node: () if node.value is None else (node.value,),
    ast.arg: lambda node: () if node.annotation is None else (node.annotation,),
    ast.IfExp: lambda node: (node.test, node.body, node.orelse),
    ast.For: lambda node: (node.target, node.iter, *node.body, *node.orelse),
}
BELOW: Final[Mapping[type[ast.AST], _Below]] = _BY_FIELDS | _COMMON
"""What gives the nodes right below one, by its kind; nothing for kinds that have none.

In the order of their fields, without contexts and operators. Ways through all of a tree ask this
table themselves, for they do so for every node.
"""


def parse(source: str | bytes) -> ast.Module:
    r"""The tree of `source`; bytes are decoded as Python would, by their coding line.

    Raises `SyntaxError`, or `ValueError` for NUL characters, undecodable text and code that is
    nested too deep to be parsed. Warnings, as for `"\d"`, are the business of whoever runs it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError) as error:
            raise ValueError("it is nested too deep") from error


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes right below `node`, in the order of its fields, without contexts and operators."""
    below = BELOW.get(type(node))
    return () if below is None else below(node)


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, in no particular order, without contexts and operators."""
    found: list[ast.AST] = []
    stack = [node]
    while stack:
        node = stack.pop()
        found.append(node)
        below = BELOW.get(type(node))
        if below is not None:
            stack += below(node)
    return found
