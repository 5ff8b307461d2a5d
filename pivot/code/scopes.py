"""What names are bound to, and where: by imports, in modules and in functions."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pivot.code.syntax import children, walk

STAR: Final = "*"
"""The name that `from m import *` binds, as far as names are told apart here."""


class Origin(NamedTuple):
    """Where an import takes its name from: a module, or `name` in a module; both absolute."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The module that code stands in, as far as imports and reflection need it.

    Attributes:
        module: its dotted name.
        package: what relative imports start from; empty for a top-level module.
        loaders: its own names for `importlib.import_module`.
        tables: its own names for `sys.modules`.
    """

    module: str
    package: str
    loaders: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset({"sys.modules"})

    def absolute(self, module: str | None, level: int) -> str:
        """The absolute name of `from <dots><module> import ...`; empty beyond the top level."""
        if level == 0:
            return module or ""
        parts = self.package.split(".") if self.package else []
        if level - 1 > len(parts) or not parts:
            return ""
        base = parts[: len(parts) - (level - 1)]
        return ".".join([*base, module] if module else base)


@dataclass(slots=True)
class Scope:
    """What one function, lambda or comprehension binds; or a class body that imports.

    Attributes:
        names: its local variables.
        imports: what its import statements bind.
        escaped: names declared `global` or `nonlocal`; `from_module` holds the former.
        is_open: a class body, which doesn't hide names from the functions in it.
    """

    names: set[str] = field(default_factory=set)
    imports: dict[str, list[Origin]] = field(default_factory=dict)
    escaped: set[str] = field(default_factory=set)
    from_module: set[str] = field(default_factory=set)
    is_open: bool = False


def imported(
    statement: ast.Import | ast.ImportFrom, place: Place
) -> Iterator[tuple[str, Origin, str]]:
    """Each name that an import binds: the name, its origin, and the module that it runs.

    `from m import *` is given as the name `*`.
    """
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if alias.asname:
                yield alias.asname, Origin(alias.name), alias.name
            else:
                top = alias.name.partition(".")[0]
                yield top, Origin(top), alias.name
        return
    module = place.absolute(statement.module, statement.level)
    for alias in statement.names:
        if module:
            yield alias.asname or alias.name, Origin(module, alias.name), module


# Whatever else stands in a function binds nothing itself.
_BINDING: Final = frozenset(
    {ast.Name, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Constant}
    | {ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal}
    | {ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp}
    | {ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping}
)


def bound(body: Sequence[ast.AST], place: Place) -> Scope:
    """What a function body binds in its own scope, with the imports among it."""
    scope = Scope()
    stack = list(body)
    while stack:
        node = stack.pop()
        if node.__class__ not in _BINDING:
            stack += children(node)
            continue
        match node:
            case ast.Name():
                if not isinstance(node.ctx, ast.Load):
                    scope.names.add(node.id)
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.names.add(node.name)
                stack += node.decorator_list
                continue
            case ast.Lambda() | ast.Constant():
                continue
            case ast.Import() | ast.ImportFrom():
                for name, origin, _ in imported(node, place):
                    scope.imports.setdefault(name, []).append(origin)
                continue
            case ast.Global() | ast.Nonlocal():
                scope.escaped.update(node.names)
                scope.from_module.update(node.names if isinstance(node, ast.Global) else ())
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                scope.names.update(_walrus(node))
                continue
            case _:
                scope.names.update(caught(node))
        stack += children(node)
    scope.names -= scope.escaped
    return scope


def _walrus(node: ast.AST) -> set[str]:
    """Names that `:=` binds around a comprehension, where they belong."""
    return {
        part.target.id
        for part in walk(node)
        if isinstance(part, ast.NamedExpr) and isinstance(part.target, ast.Name)
    }


def caught(node: ast.AST) -> list[str]:
    """Names that `except ... as name` and patterns bind: they stand in the tree as bare text."""
    match node:
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
            return [node.name]
        case ast.MatchMapping() if node.rest:
            return [node.rest]
    return []
