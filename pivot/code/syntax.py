"""From source text to a syntax tree, silently; and the ways through such a tree."""

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

# Node kinds without anything below them, and never looked at: there are as many as names.
_MARKS: Final = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
_FIELDS: Final[dict[type[ast.AST], tuple[str, ...]]] = {}  # worked out when a kind is first met
# The kinds that most nodes are of, so that no field of them is looked at in vain.
_LEAVES: Final = frozenset({ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Continue, ast.Break})
_COMMON: Final[Mapping[type[ast.AST], Callable[[Any], Sequence[ast.AST]]]] = {
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
    """The nodes right below `node`, in the order of its fields, without contexts and operators.

    As `ast.iter_child_nodes` in a fifth of its time: analysis asks this of every node.
    """
    kind = type(node)
    if kind in _LEAVES:
        return ()
    common = _COMMON.get(kind)
    if common is not None:
        return common(node)
    found: list[ast.AST] = []
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = _fields_with_nodes(kind)
    for field in fields:
        value = getattr(node, field, None)
        if type(value) is list:
            found += [one for one in value if one is not None]
        elif value is not None:
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, in no particular order, without contexts and operators."""
    found: list[ast.AST] = []
    stack = [node]
    while stack:
        node = stack.pop()
        found.append(node)
        if type(node) not in _LEAVES:
            stack += children(node)
    return found


def _fields_with_nodes(kind: type[ast.AST]) -> tuple[str, ...]:
    kinds = {name: _node_type(type_) for name, type_ in getattr(kind, "_field_types", {}).items()}
    return tuple(name for name, k in kinds.items() if k is not None and not issubclass(k, _MARKS))


def _node_type(annotation: object) -> type[ast.AST] | None:
    """The node kind that a field's type speaks of: `expr`, `expr | None`, `list[expr]`."""
    parts = (annotation, *getattr(annotation, "__args__", ()))
    kinds = (part for part in parts if isinstance(part, type) and issubclass(part, ast.AST))
    return next(kinds, None)
