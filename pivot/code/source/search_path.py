"""Folders that a module adds to `sys.path`, as packages: its imports are looked for there, too."""

import ast
from collections.abc import Mapping, Sequence
from typing import Final

from pivot.code.source.reads import UP, FilePath, path_of
from pivot.code.source.scopes import Place
from pivot.code.source.statements import own_nodes

_ADDING: Final = frozenset({"insert", "append", "extend"})
_MAX_DEPTH: Final = 20


def find_added(
    tree: ast.Module, place: Place, bound: Mapping[str, FilePath | None]
) -> tuple[str, ...]:
    """The folders that a module adds when it is imported, as dotted names.

    `bound` are the paths that its names stand for. What lies outside of the root that the module is
    imported from has no such name, and is left out.
    """
    found: dict[str, None] = {}
    for node in own_nodes(tree.body):
        for folder in _added(node):
            path = path_of(folder, place)
            dotted = None if path is None else _dotted(path, place, bound)
            if dotted:
                found[dotted] = None
    return tuple(found)


def _added(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.Call(
            func=ast.Attribute(
                value=ast.Attribute(value=ast.Name(id="sys"), attr="path"), attr=name
            ),
            args=[*_, last],
        ) if name in _ADDING:
            return last.elts if isinstance(last, ast.List | ast.Tuple) else [last]
        case ast.Call(func=ast.Attribute(attr="addsitedir"), args=[folder, *_]):
            return [folder]
    return []


def _dotted(path: FilePath, place: Place, bound: Mapping[str, FilePath | None]) -> str:
    """The dotted name of a folder; empty where it has none."""
    steps = list(path.steps)
    for _ in range(_MAX_DEPTH):
        if path.start is None:
            break
        start = bound.get(path.start.chain[0]) if len(path.start.chain) == 1 else None
        if start is None:
            return ""
        path = start
        steps = [*path.steps, *steps]
    is_package = place.package == place.module
    parts = place.module.split(".") + (["__init__"] if is_package else []) if path.is_own else []
    for step in steps:
        if step == UP:
            if not parts:
                return ""
            parts.pop()
        else:
            parts.append(step)
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
