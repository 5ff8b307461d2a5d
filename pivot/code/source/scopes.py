"""What names are bound to, and where: by imports, in modules and in functions."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pivot.code.source.syntax import children, walk

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
        binds_inline: its code may bind names within expressions, by `:=`.
    """

    module: str
    package: str
    loaders: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset({"sys.modules"})
    binds_inline: bool = field(default=True, compare=False)

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


class Scopes(NamedTuple):
    """The functions, lambdas and comprehensions around a piece of code.

    Attributes:
        every: from the outside in.
        hidden: names that are local variables of one of them, and nothing else.
        special: names that one of them imports, or declares to be the module's; and those that
            are to be looked at wherever they are bound.
    """

    every: tuple[Scope, ...] = ()
    hidden: AbstractSet[str] = frozenset()
    special: AbstractSet[str] = frozenset()

    def within(self, scope: Scope) -> "Scopes":
        """The same with one more inside of them."""
        special = self.special
        if scope.imports or scope.from_module:
            special = special | scope.imports.keys() | scope.from_module
        return Scopes((*self.every, scope), (self.hidden | scope.names) - special, special)

    def origins(self, name: str) -> Sequence[Origin | None]:
        """What a name may stand for: imports of theirs, and None for the module's own name."""
        if name in self.hidden:
            return ()
        found: list[Origin | None] = []
        for scope in reversed(self.every) if name in self.special else ():
            if name in scope.from_module:
                break
            found += scope.imports.get(name, ())
            if not scope.is_open and (name in scope.imports or name in scope.names):
                return found
        return [*found, None]


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


# Of statements that hold much which binds nothing, unless by `:=`: the parts that may.
_STATEMENTS: Final[Mapping[type[ast.AST], Callable[[Any], Sequence[ast.AST]]]] = {
    ast.Expr: lambda _: (),
    ast.Return: lambda _: (),
    ast.Raise: lambda _: (),
    ast.Assert: lambda _: (),
    ast.Assign: lambda node: node.targets,
    ast.AugAssign: lambda node: (node.target,),
    ast.AnnAssign: lambda node: (node.target,),
    ast.For: lambda node: (node.target, *node.body, *node.orelse),
    ast.If: lambda node: (*node.body, *node.orelse),
    ast.While: lambda node: (*node.body, *node.orelse),
}


def bound(body: Sequence[ast.AST], place: Place) -> Scope:
    """What a function body binds in its own scope, with the imports among it."""
    scope = Scope()
    stack = list(body)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind not in _BINDING:
            below = children if place.binds_inline else _STATEMENTS.get(kind, children)
            stack += below(node)
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
