"""Which names a piece of code takes from outside itself, by Python's scoping rules.

A name is taken from the module unless a function, lambda or comprehension around it binds it.
Class bodies hide nothing here: what they bind may also be a global of the same name, and reaching
too much is only a needless run.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from pivot.code.reflection import (
    annotation_parts,
    attribute_text,
    globals_item,
    is_loader,
    is_look_up,
    is_reflecting,
    is_sys_modules,
    loadable,
    loaded,
    parsed,
)
from pivot.code.scopes import Origin, Place, Scopes, imported
from pivot.code.statements import is_pure_function, is_quiet, is_reading, registers
from pivot.code.texts import HOLDERS, evaluated_names, is_dotted, words
from pivot.code.uses import COMPUTED_IMPORT, COMPUTED_MODULE, SUBCLASSES, Lookup, Reference, Uses
from pivot.code.walking import Inner, ScopedWalk

_OWN_MODULE: Final = frozenset({"globals", "eval", "exec"})
_WRITING_CALLS: Final = frozenset({"setattr", "delattr"})
_SEEING: Final = _OWN_MODULE | _WRITING_CALLS | {"vars"}
_DOC: Final = "__doc__"
_QUOTING: Final = frozenset({"getdoc", "getcomments", "docopt", "doctest", "testmod"})
_ITEM_CALLS: Final = frozenset({"get", "setdefault", "pop", "update", "__getitem__"})
_LISTING: Final = frozenset({"items", "values", "keys", "copy"})
_TABLE: Final = Origin("sys", "modules")


def find_uses(nodes: Sequence[ast.AST], place: Place) -> Uses:
    """Every name that `nodes`, standing at module level, take from outside themselves."""
    walk = _Walk(place)
    walk.go(nodes, place.tables | {_DOC})
    return Uses(
        references=tuple(walk.references),
        writes=tuple(walk.writes),
        calls=tuple(walk.calls),
        asked=tuple(walk.asked),
        lookups=tuple(walk.lookups),
        loads=tuple(walk.loads),
        imports=tuple(walk.imports),
        texts=tuple(walk.texts),
        named=tuple(walk.named),
        given=tuple(walk.given),
        called=frozenset(walk.called),
        lists=walk.lists,
        quotes=walk.quotes or not _QUOTING.isdisjoint(walk.called),
    )


class _Walk(ScopedWalk):
    """Notes what each node takes from outside."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.references: dict[Reference, None] = {}
        self.writes: dict[Reference, None] = {}
        self.calls: dict[Reference, None] = {}
        self.asked: dict[Reference, None] = {}
        self.lookups: dict[Lookup, None] = {}
        self.loads: dict[str, None] = {}
        self.texts: dict[str, None] = {}
        self.named: dict[str, None] = {}
        self.given: dict[tuple[Reference, str], None] = {}
        self.called: set[str] = set()
        self.lists = False
        self.quotes = False
        self._indexed: set[ast.AST] = set()
        self._seen: set[tuple[tuple[str, ...], Origin | None, bool]] = set()

    def _name(self, node: ast.Name, scopes: Scopes) -> list[ast.AST]:
        stored = type(node.ctx) is not ast.Load
        if node.id in self.place.tables:
            self._table(node)
        elif node.id == _DOC:
            self.quotes = True
        if not stored or (scopes.every and node.id in scopes.every[-1].escaped):
            self._refer((node.id,), node.lineno, scopes, write=stored)
        return []

    def _text(self, node: ast.Constant, _: Scopes) -> list[ast.AST]:
        if isinstance(node.value, str) and is_dotted(node.value):
            self.texts[node.value] = None
        return []

    def _annotated(self, node: ast.AnnAssign, _: Scopes) -> list[ast.AST]:
        parts: list[ast.AST] = [node.target, *annotation_parts(node.annotation)]
        return [*parts, node.value] if node.value else parts

    def _type_alias(self, node: ast.TypeAlias, scopes: Scopes) -> list[ast.AST] | None:
        if not node.type_params:
            return None
        self.visit([node.value], self.with_type_params(node.type_params, scopes))
        return []

    def _attribute(self, node: ast.Attribute, scopes: Scopes) -> list[ast.AST]:
        chain, base = self._chain(node)
        self.quotes |= _DOC in chain
        self.lists |= chain[-1] == "__dict__" and node not in self._indexed
        if isinstance(base, Origin):
            self._add(Reference(chain, node.lineno, base))
            return []
        if "__subclasses__" in chain and not _is_outer(base, scopes):
            self._look_up(SUBCLASSES, node)
        if not isinstance(base, ast.Name):
            return [base]
        if node.attr == "modules" and is_sys_modules(node, self.place):
            self._table(node)
        elif node.attr in _LISTING and self._is_table(node.value, scopes):
            self._look_up_module(node, None)
        stored = not isinstance(node.ctx, ast.Load)
        self._refer((base.id, *chain), node.lineno, scopes, write=stored)
        return []

    def _chain(self, node: ast.AST) -> tuple[tuple[str, ...], ast.AST | Origin]:
        """`a.b.c` as its attributes `b, c` and what they are read from.

        `getattr(x, "name")` counts as `x.name`, `import_module("m")` as the module.
        """
        attributes: list[str] = []
        while True:
            kind = type(node)
            if isinstance(node, ast.Attribute):
                attributes.append(node.attr)
                node = node.value
            elif kind is ast.Call and (read := attribute_text(node)) is not None:
                node, name = read
                attributes.append(name)
            else:
                break
        attributes.reverse()
        may_load = kind is ast.Call or kind is ast.Subscript
        origin = loaded(node, self.place) if may_load else None
        return tuple(attributes), node if origin is None else origin

    def _call(self, node: ast.Call, scopes: Scopes) -> list[ast.AST] | None:
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        self.called.add(name)
        if is_reflecting(name, self.place):
            chain, base = self._chain(node)
            if chain and isinstance(base, ast.Name):
                stored = isinstance(func, ast.Name) and name in _WRITING_CALLS
                self._refer((base.id, *chain), node.lineno, scopes, write=stored)
                return list(node.args[2:])
            if isinstance(base, Origin):
                self._add(Reference(chain, node.lineno, base))
                return []
            if is_loader(func, self.place):
                self._load(node)
            elif is_look_up(node, self.place):
                self._look_up_module(node, node.args[0])
        self._give(node, name, scopes)
        if isinstance(func, ast.Attribute):
            if name in _ITEM_CALLS:
                self._indexed.add(func.value)
            if is_quiet(name):
                self._changed(func, scopes, self.asked)
            else:
                found = self.writes if registers([name]) else self.calls
                self._changed(func.value, scopes, found)
        elif name in _SEEING and isinstance(func, ast.Name):
            return self._builtin_call(node, name, scopes)
        return None

    def _give(self, node: ast.Call, name: str, scopes: Scopes) -> None:
        """Note names among the texts that something is given, which may look them up."""
        given = (*node.args, *[keyword.value for keyword in node.keywords])
        arguments = [each for each in given if type(each) in HOLDERS]
        if not arguments:
            return
        self._hold(arguments)
        found = tuple(words(arguments))
        if found and not is_reading(name) and not is_pure_function(name):
            chain, base = self._chain(node.func)
            if isinstance(base, ast.Name):
                for reference in _looked_up((base.id, *chain), 0, scopes):
                    self.given.update(dict.fromkeys((reference, word) for word in found))
        for variable in evaluated_names(node):
            self._refer((variable,), node.lineno, scopes)

    def _hold(self, values: Iterable[ast.expr]) -> None:
        """Note dotted texts that a library may look up by."""
        for value in values:
            text = getattr(value, "value", None)
            if isinstance(text, str) and is_dotted(text):
                self.named[text] = None

    def _table_of(self, node: ast.Dict, _: Scopes) -> list[ast.AST] | None:
        self._hold(node.values)
        return None

    def _load(self, node: ast.Call) -> None:
        """Note an import by a name that only a run knows, and what it may be."""
        self._look_up(COMPUTED_IMPORT, node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = loadable(arguments[0], self.place) if arguments else None
        if names is not None:
            self.loads[names] = None

    def _builtin_call(self, node: ast.Call, name: str, scopes: Scopes) -> list[ast.AST] | None:
        """Built-ins that see the module's names, or change what they are given."""
        if any(name in scope.names for scope in scopes.every):
            return None
        if name in _WRITING_CALLS and node.args:
            self._changed(node.args[0], scopes, self.writes)
        text = node.args[0] if node.args else None
        if name in ("eval", "exec") and isinstance(text, ast.Constant):
            return [*parsed(text.value), *node.args[1:], *node.keywords]
        self.lists |= name in ("globals", "vars") and node not in self._indexed
        if name in _OWN_MODULE or (name == "vars" and not node.args and not scopes.every):
            self._add(Reference((), node.lineno, Origin(self.place.module)))
        return None

    def _subscript(self, node: ast.Subscript, scopes: Scopes) -> list[ast.AST] | None:
        if not isinstance(node.value, ast.Name) or node.value.id in scopes.special:
            origin = loaded(node, self.place)
            if origin is not None:
                self._add(Reference((), node.lineno, origin))
                return []
            name = globals_item(node)
            if name is not None:
                self._add(Reference((name,), node.lineno, Origin(self.place.module)))
                return []
            self._indexed.add(node.value)
            if self._is_table(node.value, scopes):
                self._look_up_module(node, node.slice)
        if not isinstance(node.ctx, ast.Load):
            self._changed(node.value, scopes, self.writes)
        return None

    def _is_table(self, node: ast.AST, scopes: Scopes) -> bool:
        """Whether this is `sys.modules`, which a function may import, too."""
        if isinstance(node, ast.Name):
            origins = (o for scope in scopes.every for o in scope.imports.get(node.id, ()))
            if any(origin == _TABLE for origin in origins):
                return True
        return is_sys_modules(node, self.place)

    def _table(self, node: ast.Name | ast.Attribute) -> None:
        """Note a use of `sys.modules` itself, such as going through it."""
        if node not in self._indexed and isinstance(node.ctx, ast.Load):
            self._look_up_module(node, None)

    def _look_up_module(self, node: ast.expr, name: ast.expr | None) -> None:
        """Note that a module is taken from `sys.modules` by a name that only a run knows."""
        self._look_up(COMPUTED_MODULE, node)
        names = None if name is None else loadable(name, self.place)
        # Where nothing tells, a module mostly looks for itself, or for what its own texts name.
        self.loads[names or self.place.module] = None

    def _for(self, node: ast.For, scopes: Scopes) -> list[ast.AST] | None:
        self._changed(ast.Attribute(node.iter, "__iter__", ast.Load()), scopes, self.asked)
        return None

    def _statement(self, node: ast.Expr, scopes: Scopes) -> list[ast.AST] | None:
        """`app << step`, of which nobody takes the value, is there for what it changes."""
        if isinstance(node.value, ast.BinOp):
            self._changed(node.value.left, scopes, self.calls)
            self._changed(node.value.right, scopes, self.calls)
        return None

    def _compare(self, node: ast.Compare, _: Scopes) -> list[ast.AST] | None:
        """To ask whether `sys.modules` has a name looks up nothing."""
        self._indexed.update(node.comparators)
        return None

    def _changed(self, node: ast.AST, scopes: Scopes, found: dict[Reference, None]) -> None:
        """Note that the object which an attribute, item or method belongs to may change."""
        while isinstance(node, ast.Subscript):
            node = node.value
        chain, base = self._chain(node)
        if isinstance(base, Origin):
            found[Reference(chain, 0, base)] = None
        elif isinstance(base, ast.Name):
            for reference in _looked_up((base.id, *chain), 0, scopes):
                found[reference] = None

    def _import(self, statement: ast.Import | ast.ImportFrom, scopes: Scopes) -> list[ast.AST]:
        for _, origin, module in imported(statement, self.place):
            self._add(Reference((), statement.lineno, Origin(module), runs_only=True))
            if origin.name is not None and (scopes.every or origin.name != "*"):
                self._add(Reference((), statement.lineno, origin, runs_only=True))
        return []

    def _refer(
        self,
        chain: tuple[str, ...],
        line: int,
        scopes: Scopes,
        *,
        write: bool = False,
    ) -> None:
        if chain[0] in scopes.hidden:
            return
        if not write and (chain, None, False) in self._seen and chain[0] not in scopes.special:
            return
        for reference in _looked_up(chain, line, scopes):
            self._add(reference)
            if write:
                self.writes[reference] = None

    def _add(self, reference: Reference) -> None:
        key = (reference.chain, reference.origin, reference.runs_only)
        if key not in self._seen:
            self._seen.add(key)
            self.references[reference] = None

    def _look_up(self, what: str, node: ast.expr) -> None:
        self.lookups[Lookup(what, node.lineno)] = None

    ENTER: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any, Scopes], Inner]]] = {
        ast.Name: _name,
        ast.Constant: _text,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.AnnAssign: _annotated,
        ast.TypeAlias: _type_alias,
        ast.Compare: _compare,
        ast.Expr: _statement,
        ast.Dict: _table_of,
        ast.For: _for,
        ast.ClassDef: ScopedWalk.class_,
        **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda), ScopedWalk.function),
        **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp), ScopedWalk.comprehension),
        **dict.fromkeys((ast.Import, ast.ImportFrom), _import),
        ast.GeneratorExp: ScopedWalk.comprehension,
    }


def _looked_up(chain: tuple[str, ...], line: int, scopes: Scopes) -> list[Reference]:
    """The outer name, or names, that `chain` starts from; none for a local variable."""
    return [
        Reference(chain, line) if origin is None else Reference(chain[1:], line, origin)
        for origin in scopes.origins(chain[0])
    ]


def _is_outer(node: ast.AST, scopes: Scopes) -> bool:
    """Whether this is a name that no function around it binds."""
    return isinstance(node, ast.Name) and bool(scopes.origins(node.id))
