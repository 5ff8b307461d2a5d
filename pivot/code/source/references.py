"""Which names a piece of code takes from outside itself, by Python's scoping rules.

A name is taken from the module unless a function, lambda or comprehension around it binds it.
Class bodies hide nothing here: what they bind may also be a global of the same name, and reaching
too much is only a needless run.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from pivot.code.source.lookups import LookUps
from pivot.code.source.reflection import (
    annotation_parts,
    globals_item,
    is_loader,
    is_look_up,
    is_reflecting,
    is_sys_modules,
    loaded,
    parsed,
    read_chain,
)
from pivot.code.source.scopes import Origin, Place, Scopes, imported
from pivot.code.source.sharing import consumes
from pivot.code.source.statements import is_pure_function, is_quiet, is_reading, registers
from pivot.code.source.texts import HOLDERS, evaluated_names, is_dotted, words
from pivot.code.source.uses import SUBCLASSES, Reference, Uses
from pivot.code.source.walking import Inner, ScopedWalk

_OWN_MODULE: Final = frozenset({"globals", "eval", "exec"})
_WRITING_CALLS: Final = frozenset({"setattr", "delattr"})
_SEEING: Final = _OWN_MODULE | _WRITING_CALLS | {"vars"}
_DOC: Final = "__doc__"
_QUOTING: Final = frozenset({"getdoc", "getcomments", "docopt", "doctest", "testmod"})
_ITEM_CALLS: Final = frozenset({"get", "setdefault", "pop", "update", "__getitem__"})
_LISTING: Final = frozenset({"items", "values", "keys", "copy"})


type _Key = tuple[tuple[str, ...], Origin | None, bool]
"""A reference without its line."""


def find_uses(nodes: Sequence[ast.AST], place: Place) -> Uses:
    """Every name that `nodes`, standing at module level, take from outside themselves."""
    walk = _Walk(place)
    walk.go(nodes, place.tables | {_DOC})
    return Uses(
        references=tuple(walk.references.values()),
        writes=tuple(walk.writes),
        calls=tuple(walk.calls),
        asked=tuple(walk.asked),
        lookups=tuple(walk.look_ups.found),
        loads=tuple(walk.look_ups.loads),
        imports=tuple(walk.imports),
        texts=tuple(walk.texts),
        named=tuple(walk.look_ups.named),
        given=tuple(walk.given),
        called=frozenset(walk.called),
        lists=walk.lists,
        quotes=walk.quotes or not _QUOTING.isdisjoint(walk.called),
    )


class _Walk(ScopedWalk):
    """Notes what each node takes from outside."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.references: dict[_Key, Reference] = {}
        self.writes: dict[Reference, None] = {}
        self.calls: dict[Reference, None] = {}
        self.asked: dict[Reference, None] = {}
        self.look_ups = LookUps(place)
        self.texts: dict[str, None] = {}
        self.given: dict[tuple[Reference, str], None] = {}
        self.called: set[str] = set()
        self.lists = False
        self.quotes = False

    def _name(self, node: ast.Name, scopes: Scopes) -> Inner:
        stored = type(node.ctx) is not ast.Load
        if node.id in self.place.tables:
            self.look_ups.table(node)
        elif node.id == _DOC:
            self.quotes = True
        if not stored or (scopes.every and node.id in scopes.every[-1].escaped):
            self._refer((node.id,), node.lineno, scopes, write=stored)
        return ()

    def _text(self, node: ast.Constant, _: Scopes) -> Inner:
        if isinstance(node.value, str) and is_dotted(node.value):
            self.texts[node.value] = None
        return ()

    def _annotated(self, node: ast.AnnAssign, _: Scopes) -> list[ast.AST]:
        parts: list[ast.AST] = [node.target, *annotation_parts(node.annotation)]
        return [*parts, node.value] if node.value else parts

    def _type_alias(self, node: ast.TypeAlias, scopes: Scopes) -> list[ast.AST] | None:
        if not node.type_params:
            return None
        self.visit([node.value], self.with_type_params(node.type_params, scopes))
        return []

    def _attribute(self, node: ast.Attribute, scopes: Scopes) -> list[ast.AST]:
        chain, base = read_chain(node, self.place)
        self.quotes |= _DOC in chain
        self.lists |= chain[-1] == "__dict__" and node not in self.look_ups.indexed
        if isinstance(base, Origin):
            self._add(Reference(chain, node.lineno, base))
            return []
        if "__subclasses__" in chain and not _is_outer(base, scopes):
            self.look_ups.note(SUBCLASSES, node)
        if not isinstance(base, ast.Name):
            return [base]
        if node.attr == "modules" and is_sys_modules(node, self.place):
            self.look_ups.table(node)
        elif node.attr in _LISTING and self.look_ups.is_table(node.value, scopes):
            self.look_ups.module(node, None)
        stored = type(node.ctx) is not ast.Load
        self._refer((base.id, *chain), node.lineno, scopes, write=stored)
        return []

    def _call(self, node: ast.Call, scopes: Scopes) -> list[ast.AST] | None:
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        self.called.add(name)
        if is_reflecting(name, self.place):
            chain, base = read_chain(node, self.place)
            if chain and isinstance(base, ast.Name):
                stored = isinstance(func, ast.Name) and name in _WRITING_CALLS
                self._refer((base.id, *chain), node.lineno, scopes, write=stored)
                return list(node.args[2:])
            if isinstance(base, Origin):
                self._add(Reference(chain, node.lineno, base))
                return []
            if is_loader(func, self.place):
                self.look_ups.load(node)
            elif is_look_up(node, self.place):
                self.look_ups.module(node, node.args[0])
        self._give(node, name, scopes)
        if isinstance(func, ast.Attribute):
            if name in _ITEM_CALLS:
                self.look_ups.indexed.add(func.value)
            if is_quiet(name):
                self._changed(func, scopes, self.asked)
            else:
                found = self.writes if registers([name]) else self.calls
                self._changed(func.value, scopes, found)
        elif node.args and consumes(name):
            self._changed(node.args[0], scopes, self.calls)
        if name in _SEEING and isinstance(func, ast.Name):
            return self._builtin_call(node, name, scopes)
        return None

    def _give(self, node: ast.Call, name: str, scopes: Scopes) -> None:
        """Note names among the texts that something is given, which may look them up."""
        if not node.args and not node.keywords:
            return
        given = (*node.args, *[keyword.value for keyword in node.keywords])
        arguments = [each for each in given if type(each) in HOLDERS]
        if not arguments:
            return
        self.look_ups.hold(arguments)
        found = tuple(words(arguments))
        if found and not is_reading(name) and not is_pure_function(name):
            chain, base = read_chain(node.func, self.place)
            if isinstance(base, ast.Name):
                for reference in _looked_up((base.id, *chain), 0, scopes):
                    self.given.update(dict.fromkeys((reference, word) for word in found))
        for variable in evaluated_names(node):
            self._refer((variable,), node.lineno, scopes)

    def _table_of(self, node: ast.Dict, _: Scopes) -> list[ast.AST] | None:
        self.look_ups.hold(node.values)
        return None

    def _builtin_call(self, node: ast.Call, name: str, scopes: Scopes) -> list[ast.AST] | None:
        """Built-ins that see the module's names, or change what they are given."""
        if any(name in scope.names for scope in scopes.every):
            return None
        if name in _WRITING_CALLS and node.args:
            self._changed(node.args[0], scopes, self.writes)
        text = node.args[0] if node.args else None
        if name in ("eval", "exec") and isinstance(text, ast.Constant):
            return [*parsed(text.value), *node.args[1:], *node.keywords]
        self.lists |= name in ("globals", "vars") and node not in self.look_ups.indexed
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
            self.look_ups.indexed.add(node.value)
            if self.look_ups.is_table(node.value, scopes):
                self.look_ups.module(node, node.slice)
        if not isinstance(node.ctx, ast.Load):
            self._changed(node.value, scopes, self.writes)
        return None

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
        self.look_ups.indexed.update(node.comparators)
        return None

    def _changed(self, node: ast.AST, scopes: Scopes, found: dict[Reference, None]) -> None:
        """Note that the object which an attribute, item or method belongs to may change."""
        while isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and node.id in scopes.hidden:
            return
        chain, base = read_chain(node, self.place)
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
        name = chain[0]
        if name in scopes.hidden:
            return
        if not write and name not in scopes.special:  # as most of them
            key = (chain, None, False)
            if key not in self.references:
                self.references[key] = Reference(chain, line)
            return
        for reference in _looked_up(chain, line, scopes):
            self._add(reference)
            if write:
                self.writes[reference] = None

    def _add(self, reference: Reference) -> None:
        key = (reference.chain, reference.origin, reference.runs_only)
        self.references.setdefault(key, reference)

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
    name = chain[0]
    if name in scopes.hidden:
        return []
    if name not in scopes.special:  # as most of them
        return [Reference(chain, line)]
    return [
        Reference(chain, line) if origin is None else Reference(chain[1:], line, origin)
        for origin in scopes.origins(name)
    ]


def _is_outer(node: ast.AST, scopes: Scopes) -> bool:
    """Whether this is a name that no function around it binds."""
    return isinstance(node, ast.Name) and bool(scopes.origins(node.id))
