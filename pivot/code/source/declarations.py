"""What a module says to Pivot itself, which enters a stage's key by value and not as code."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pivot.code.source.scopes import Origin, Place, imported
from pivot.code.source.syntax import children

_PACKAGE: Final = "pivot"


@dataclass(frozen=True, slots=True)
class Bindings:
    """What a module's top-level names come from, as far as they may be Pivot's own things.

    Attributes:
        imports: what each imported name may stand for.
        made: for each name bound to the result of a call, the name that the call starts from:
            `p` from `Pipeline` for `p = Pipeline("x")`.
    """

    imports: Mapping[str, Sequence[Origin]]
    made: Mapping[str, str]


def read_bindings(tree: ast.Module, place: Place) -> Bindings:
    """The bindings of a module, without those inside functions and classes."""
    imports: dict[str, list[Origin]] = {}
    made: dict[str, str] = {}
    for node in top_statements(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, origin, _ in imported(node, place):
                imports.setdefault(name, []).append(origin)
        elif isinstance(node, ast.Assign) and (root := _root(node.value)) is not None:
            made.update((t.id, root) for t in node.targets if isinstance(t, ast.Name))
    return Bindings({name: tuple(origins) for name, origins in imports.items()}, made)


def is_pivot(origin: Origin) -> bool:
    """Whether an import takes its name from Pivot itself."""
    return origin.module.partition(".")[0] == _PACKAGE


def own_declared(bindings: Bindings) -> frozenset[str]:
    """Names of Pivot's own things, as far as the module's own statements tell.

    What other modules of the project made, such as a pipeline, is not among them.
    """
    found = {name for name, origins in bindings.imports.items() if any(map(is_pivot, origins))}
    before = -1
    while before != len(found):
        before = len(found)
        found |= {name for name, maker in bindings.made.items() if maker in found}
    return frozenset(found)


def _root(node: ast.expr) -> str | None:
    """The name that a call or a chain of attributes starts from; None for other expressions."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def strip(tree: ast.Module, declared: frozenset[str]) -> None:
    """Take Pivot's decorators off a module's functions, in place."""
    for node in top_statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if not is_declared(d, declared)]


def top_statements(tree: ast.Module) -> Iterator[ast.stmt]:
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
        stack += reversed(children(node))


def is_declared(node: ast.expr, declared: frozenset[str]) -> bool:
    """Whether this is `stage`, `pivot.stage(...)`, `stage(...)(f)`, `pipeline.add(...)`."""
    return _root(node) in declared
