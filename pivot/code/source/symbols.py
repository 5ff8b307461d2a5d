"""From a module's source to its symbols: what it defines, imports, and does when it is imported.

Every top-level name is one symbol with all its definitions, in source order: a function or class
defined twice, under an `if`, or in both arms of a `try` counts as a whole. What a module does
beside defining names (calls, item assignments, loops ...) are its *effects*. A function's
decorators, a class's bases and a constant's calls may do something too; those are *triggers*.

What is declared to Pivot (`@stage(...)`, `pipeline.register(...)`) is taken out: it enters a
stage's key by value.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pivot.code.findings import Kind
from pivot.code.source import declarations, statements
from pivot.code.source.facts import Trigger
from pivot.code.source.operations import operations
from pivot.code.source.references import find_uses
from pivot.code.source.reflection import loaded, loader_names, table_names
from pivot.code.source.scopes import Origin, Place, imported
from pivot.code.source.sharing import arguments
from pivot.code.source.syntax import parse, walk
from pivot.code.source.uses import Reference
from pivot.errors import DefinitionError
from pivot.paths import RepoPath

Definable = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Guard:
    """An `if` around a top-level statement, and the arm that it stands in."""

    test: ast.expr
    holds: bool


@dataclass(frozen=True)
class Definition:
    """A top-level statement, with the `if`s around it from the outside in."""

    guards: tuple[Guard, ...]
    node: ast.stmt

    @cached_property
    def own(self) -> Sequence[ast.AST]:
        """The nodes that run with it itself."""
        return statements.own_nodes([self.node])

    @cached_property
    def every(self) -> Sequence[ast.AST]:
        """All of its nodes."""
        return walk(self.node)

    @property
    def span(self) -> tuple[int, int]:
        """Its first and last line, decorators included."""
        decorators: list[ast.expr] = getattr(self.node, "decorator_list", [])
        first = min([self.node.lineno, *(decorator.lineno for decorator in decorators)])
        return first, self.node.end_lineno or self.node.lineno


@dataclass(frozen=True, slots=True)
class Symbol:
    """A top-level name with everything that defines it."""

    name: str
    definitions: tuple[Definition, ...]

    @property
    def kind(self) -> Kind:
        if len(self.definitions) == 1:
            # Mostly one statement says it by itself.
            only = self.definitions[0].node
            if isinstance(only, ast.Assign | ast.AnnAssign):
                return Kind.CONSTANT
            if isinstance(only, Definable) and only.name == self.name:
                return Kind.CLASS if isinstance(only, ast.ClassDef) else Kind.FUNCTION
        nodes = [
            node
            for definition in self.definitions
            for node in definition.own
            if getattr(node, "name", None) == self.name
        ]
        if any(isinstance(node, ast.ClassDef) for node in nodes):
            return Kind.CLASS
        if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes):
            return Kind.FUNCTION
        return Kind.CONSTANT


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a module does when it is imported.

    Attributes:
        touches: the objects it changes, if that is all it does; None: it counts always.
    """

    definition: Definition
    touches: tuple[Reference, ...] | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A parsed source file, with the syntax trees of what it defines and does.

    Attributes:
        symbols: by name.
        imports: what each imported name may stand for; `TYPE_CHECKING` blocks included.
        stars: modules of `from m import *`.
        runs: modules that importing this one imports, in order.
        run_lines: for each of `runs` where it is imported.
        effects: in source order.
        exports: names in `__all__` as far as it is a plain list.
        bindings: every statement that binds a name, in source order: the name (`*` for a star
            import), and what it is imported from; nothing for a definition.
        import_positions: names bound by imports that run, with line and column.
    """

    place: Place
    symbols: Mapping[str, Symbol]
    imports: Mapping[str, Sequence[Origin]]
    stars: Sequence[str]
    runs: Sequence[Origin]
    run_lines: Sequence[int]
    effects: Sequence[Effect]
    triggers: Sequence[Trigger[Reference]]
    exports: frozenset[str]
    bindings: Sequence[tuple[str, str]]
    import_positions: Sequence[tuple[str, tuple[int, int]]]


def parse_file(source: bytes, file: RepoPath) -> ast.Module:
    """The tree of a source file; raises `DefinitionError` naming file and line if it has none."""
    try:
        return parse(source)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise DefinitionError(f"{file}{line} has a syntax error", why=error.msg) from error
    except ValueError as error:
        raise DefinitionError(f"{file} can't be parsed", why=str(error)) from error


def locate(tree: ast.Module, name: str, *, is_package: bool) -> Place:
    """Where a module's code stands."""
    package = name if is_package else name.rpartition(".")[0]
    return Place(name, package, loader_names(tree), table_names(tree))


def read_outline(tree: ast.Module, *, place: Place, declared: frozenset[str]) -> Outline:
    """The symbols of a module; `tree` is changed: it loses what is declared to Pivot.

    `declared` are the module's names for Pivot's own things.
    """
    declarations.strip(tree, declared)
    reader = _Reader(place, declared)
    reader.read(tree.body, ())
    return Outline(
        place=place,
        symbols={n: Symbol(n, tuple(ds)) for n, ds in reader.definitions.items()},
        imports=reader.imports,
        stars=reader.stars,
        runs=reader.runs,
        run_lines=reader.run_lines,
        effects=reader.effects,
        triggers=reader.triggers,
        exports=_exports(reader.definitions.get("__all__", ())),
        bindings=reader.bindings,
        import_positions=reader.import_positions,
    )


def _exports(definitions: Sequence[Definition]) -> frozenset[str]:
    return frozenset(
        element.value
        for definition in definitions
        for element in walk(definition.node)
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    )


@dataclass(slots=True)
class _Reader:
    """Sorts a module's top-level statements; reads expressions only where triggers need it."""

    place: Place
    declared: frozenset[str]
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    imports: dict[str, list[Origin]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    runs: list[Origin] = field(default_factory=list)
    run_lines: list[int] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    triggers: list[Trigger[Reference]] = field(default_factory=list)
    bindings: list[tuple[str, str]] = field(default_factory=list)
    import_positions: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def read(
        self, body: Sequence[ast.stmt], guards: tuple[Guard, ...], *, runs: bool = True
    ) -> None:
        """Sort statements that stand below the same guards; `runs` is false for type checkers."""
        for node in body:
            definition = Definition(guards, node)
            if runs and not isinstance(node, ast.If | ast.Import | ast.ImportFrom):
                self._loads(definition)
            match node:
                case ast.Import() | ast.ImportFrom():
                    self._import(definition, node, runs=runs)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    self._definable(definition, node)
                case ast.If():
                    self._branch(node, guards, runs=runs)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete():
                    self._assignment(definition)
                case ast.TypeAlias():
                    self._define(node.name.id, definition)
                case ast.Expr():
                    self._expression(definition, node)
                case ast.Pass() | ast.Global():
                    pass
                case _:
                    self._compound(definition, node, runs=runs)

    def _loads(self, definition: Definition) -> None:
        """Note modules that a statement imports by a call, whatever it does with them."""
        node = definition.node
        for part in definition.own:
            if type(part) is ast.Call and (origin := loaded(part, self.place)) is not None:
                self._runs(Origin(origin.module), node)

    def _runs(self, origin: Origin, node: ast.stmt) -> None:
        self.runs.append(origin)
        self.run_lines.append(node.lineno)

    def _define(self, name: str, definition: Definition) -> None:
        self.definitions.setdefault(name, []).append(definition)
        self.bindings.append((name, ""))

    def _import(
        self, definition: Definition, node: ast.Import | ast.ImportFrom, *, runs: bool
    ) -> None:
        for name, origin, module in imported(node, self.place):
            if runs:
                self._runs(Origin(module), node)
                self.bindings.append((name, f"{origin.module}:{origin.name or ''}"))
                self.import_positions.append((name, (node.lineno, node.col_offset)))
                self._bind_submodule(name, module)
            if name == "*":
                self.stars.append(module)
                continue
            if runs and origin.name is not None:
                self._runs(origin, node)
            self.imports.setdefault(name, []).append(origin)
            if runs and definition.guards:
                self._define(name, definition)

    def _bind_submodule(self, name: str, module: str) -> None:
        """A package that imports one of its modules has it as an attribute from then on."""
        place = self.place
        if place.module != place.package or not module.startswith(f"{place.package}."):
            return
        own = module.removeprefix(f"{place.package}.").partition(".")[0]
        if own != name:
            self.bindings.append((own, f"{place.package}.{own}:"))

    def _definable(self, definition: Definition, node: Definable) -> None:
        self._define(node.name, definition)
        self._triggers_of(node)
        if isinstance(node, ast.ClassDef):
            self._class_body(definition, node)

    def _class_body(self, definition: Definition, node: ast.ClassDef) -> None:
        """What the body of a class changes outside of the class, when it is defined."""
        own = set(statements.bound_names(node.body, imports=True))
        for statement in node.body:
            inner = Definition(definition.guards, statement)
            if isinstance(statement, ast.ClassDef):
                self._class_body(inner, statement)
            elif not isinstance(statement, Definable) and statements.stores_into(inner.own):
                writes = find_uses([statement], self.place).writes
                touches = tuple(w for w in writes if w.origin or w.chain[0] not in own)
                if touches:
                    self.effects.append(Effect(inner, touches))

    def _triggers_of(self, node: Definable) -> None:
        bases: list[ast.expr] = []
        if isinstance(node, ast.ClassDef):
            bases = [*node.bases, *(k.value for k in node.keywords)]
            run: list[ast.AST] = [*node.bases, *node.keywords, *node.body]
            own = statements.own_nodes(run)
        else:
            run = [*statements.defaults(node)]
            own = statements.own_nodes([*run, *statements.annotations(node)])
        calls = list(statements.calls(own))
        self._trigger(node.name, calls, node.decorator_list, bases, operations(run))

    def _trigger(
        self,
        name: str,
        calls: Sequence[ast.expr],
        decorators: Sequence[ast.expr] = (),
        bases: Sequence[ast.expr] = (),
        operands: Sequence[ast.expr] = (),
    ) -> None:
        parts = [self._callees(part) for part in (decorators, bases, calls)]
        if any(parts) or operands:
            given = [part for call in (*decorators, *bases, *calls) for part in arguments(call)]
            parts.append(find_uses(given, self.place).references if given else ())
            parts.append(self._callees(operands))
            self.triggers.append(Trigger(name, *parts))

    def _callees(self, calls: Sequence[ast.expr]) -> tuple[Reference, ...]:
        targets: list[ast.AST] = [statements.callee(call) for call in calls]
        return find_uses(targets, self.place).references if targets else ()

    def _branch(self, node: ast.If, guards: tuple[Guard, ...], *, runs: bool) -> None:
        if statements.is_main_test(node.test):
            # A stage's module is never run as a script.
            self.read(node.orelse, guards, runs=runs)
            return
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) and negated else node.test
        if statements.is_type_checking(test):
            self.read(node.body, guards, runs=runs and negated)
            self.read(node.orelse, guards, runs=runs and not negated)
            return
        test_only = Definition(guards, ast.copy_location(ast.Expr(node.test), node))
        self._walrus(test_only)
        if statements.acts([node.test], self.declared):
            self.effects.append(Effect(test_only, None))
        self.read(node.body, (*guards, Guard(node.test, holds=True)), runs=runs)
        self.read(node.orelse, (*guards, Guard(node.test, holds=False)), runs=runs)

    def _assignment(self, definition: Definition) -> None:
        node = definition.node
        names = statements.bound_names([node])
        for name in names:
            self._define(name, definition)
        calls = list(statements.calls(definition.own))
        is_declaring = any(calls) and all(declarations.is_declared(c, self.declared) for c in calls)
        operands = operations([node])
        if (calls or operands) and not is_declaring:
            for name in names:
                self._trigger(name, calls, operands=operands)
        if isinstance(node, ast.AugAssign) and any(map(self._is_shared, names)):
            touched = tuple(Reference((name,), node.lineno) for name in names)
            self.effects.append(Effect(definition, touched))
        elif statements.stores_into(definition.own):
            touches = find_uses([node], self.place).writes
            self.effects.append(Effect(definition, touches or None))

    def _is_shared(self, name: str) -> bool:
        """Whether a name may stand for an object that another name stands for, too."""
        known = self.definitions.get(name, ())
        return name in self.imports or any(statements.is_alias(d.node) for d in known)

    def _expression(self, definition: Definition, node: ast.Expr) -> None:
        self._walrus(definition)
        if not statements.acts([node], self.declared):
            return
        touches = None
        if isinstance(node.value, ast.Call) and statements.is_container_call(node.value):
            touches = find_uses([node], self.place).calls or None
        self.effects.append(Effect(definition, touches))

    def _walrus(self, definition: Definition) -> None:
        for name in statements.bound_names([definition.node]):
            self._define(name, definition)

    def _compound(self, definition: Definition, node: ast.stmt, *, runs: bool) -> None:
        """A loop, `try`, `with`, `match` ...: it defines all its names as one, and may act."""
        for statement in statements.import_statements(definition.own):
            self._import(Definition((), statement), statement, runs=runs)
        names = statements.bound_names([node], imports=True)
        for name in names:
            self._define(name, definition)
        for part in definition.own:
            if isinstance(part, Definable) and part.name in names:
                self._triggers_of(part)
        if statements.acts([node], self.declared):
            self.effects.append(Effect(definition, None))
        elif names and (operands := operations([node])):
            self._trigger(names[0], (), operands=operands)
