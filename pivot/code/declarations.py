"""What a module says to Pivot itself, which enters a stage's key by value and not as code."""

import ast
from collections.abc import Iterator
from typing import Final

_PACKAGE: Final = "pivot"


def names(tree: ast.Module) -> frozenset[str]:
    """Names of a module that stand for Pivot's own things, pipelines made with them included."""
    found: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            found.update(
                alias.asname or _PACKAGE
                for alias in node.names
                if alias.name.partition(".")[0] == _PACKAGE
            )
        elif isinstance(node, ast.ImportFrom) and _is_pivot(node):
            found.update(alias.asname or alias.name for alias in node.names)
    for node in tree.body:
        if isinstance(node, ast.Assign) and is_declared(node.value, frozenset(found)):
            found.update(t.id for t in node.targets if isinstance(t, ast.Name))
    return frozenset(found)


def _is_pivot(node: ast.ImportFrom) -> bool:
    return node.level == 0 and (node.module or "").partition(".")[0] == _PACKAGE


def strip(tree: ast.Module, declared: frozenset[str]) -> None:
    """Take Pivot's decorators off a module's functions, in place."""
    for node in _statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if not is_declared(d, declared)]


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those in `if`, `try`, ... included."""
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt):
            yield node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
        elif not isinstance(node, ast.ExceptHandler | ast.match_case):
            continue
        stack += reversed(list(ast.iter_child_nodes(node)))


def is_declared(node: ast.expr, declared: frozenset[str]) -> bool:
    """Whether this is `stage`, `pivot.stage(...)`, `stage(...)(f)`, `pipeline.add(...)`."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id in declared
