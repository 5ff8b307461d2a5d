"""Objects that several pieces of code share: what is handed to them, and what classes keep.

An object may be changed under another name than its own: as the parameter of a function that fills
it, or as the one instance, or the state, that a class hands to all who ask.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pivot.code.source.operations import acting
from pivot.code.source.statements import (
    callee,
    defaults,
    is_container,
    is_container_method,
    registers,
)

_FILLING: Final = re.compile(
    "_?(?:add|set|put|push|include|attach|connect|bind|install|enqueue|mount)(?:_.*)?"
)
# Functions of Python's own that change their first argument.
_CONSUMING: Final = frozenset(
    {"next", "anext", "setattr", "delattr", "shuffle", "heapify", "insort"}
    | {"setitem", "delitem", "iadd", "ior", "iconcat", "__setattr__", "__setitem__"}
    | {"insort_left", "insort_right", "heappush", "heappop", "heappushpop", "heapreplace"}
)
_APPLYING: Final = frozenset({"map", "filter", "starmap", "reduce", "accumulate"})
_KEEPING: Final = re.compile("cache|memo|singleton|once", re.IGNORECASE)
_LOOKING: Final = frozenset({"get", "values", "items", "setdefault"})
_FIELDS: Final = frozenset({"field", "Field", "attrib", "ib"})
_OWN: Final = frozenset({"self", "cls", "mcs"})
_CHANGING: Final = frozenset({ast.Attribute, ast.Subscript, ast.Call, ast.AugAssign})
_BINDING: Final = frozenset({ast.arg, ast.Assign, ast.AnnAssign, ast.For, ast.NamedExpr})
_PLACES: Final = (ast.Attribute, ast.Subscript)
_DEFINABLE: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def consumes(name: str, of: str = "") -> bool:
    """Whether a function of Python's own of that name changes what it is given.

    So does a method that is asked of its class, as in `dict.update(TABLE, a=1)`.
    """
    return name in _CONSUMING or (is_container(of) and is_container_method(name))


def applies(name: str) -> bool:
    """Whether a function of Python's own of that name calls what it is given."""
    return name in _APPLYING


def arguments(call: ast.expr) -> Iterator[ast.expr]:
    """What a call or a decorator is given: in `f(a)(b)` both."""
    while isinstance(call, ast.Call):
        yield from call.args
        yield from (keyword.value for keyword in call.keywords)
        call = call.func


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a function or class does to objects that others have, too.

    Attributes:
        fills: it, or a method of it, may change an object that it is given.
        shares: all who call it, or make an instance of it, may get one object. Such are classes
            that keep something on themselves, what caches decorate, and functions that fill one
            of their defaults.
        renamed: objects that it changes under a name of its own, as `TABLE` in
            `for each in TABLE: each.rate = 1`. What a function gives is not followed, but for one
            that is given nothing, as in `table()["a"] = 1`.
        acting: methods of a class that seem to read or compute, and may change something.
    """

    fills: bool = False
    shares: bool = False
    renamed: tuple[ast.expr, ...] = ()
    acting: frozenset[str] = frozenset()


NOTHING: Final = Sharing()


def find_sharing(node: ast.AST, nodes: Sequence[ast.AST]) -> Sharing:
    """What a top-level statement shares, if it is a function or a class; `nodes` are all of it."""
    if not isinstance(node, _DEFINABLE):
        return NOTHING
    changed = _changed(nodes)
    is_cached = any(_KEEPING.search(_dotted(callee(each))) for each in node.decorator_list)
    if not changed and not isinstance(node, ast.ClassDef):
        return Sharing(shares=True) if is_cached else NOTHING
    binding = [part for part in nodes if type(part) in _BINDING]
    given = {part.arg for part in binding if isinstance(part, ast.arg)}
    given -= _OWN if isinstance(node, ast.ClassDef) else set()
    kept = {f"self.{name}" for part in binding if given for name in _kept(part, given)}
    kept |= given
    fills = any(_dotted(of) in kept or _root(of) in given for of in changed)
    if isinstance(node, ast.ClassDef):
        shares = is_cached or _keeps(node, changed, nodes)
        return Sharing(fills, shares, tuple(_renamed(changed, binding)), acting(node))
    is_kept = any(isinstance(d, ast.Dict | ast.List | ast.Set) for d in defaults(node))
    shares = is_cached or (is_kept and fills)
    return Sharing(fills, shares, tuple(_renamed(changed, binding)))


def _keeps(node: ast.ClassDef, changed: Iterable[ast.expr], nodes: Iterable[ast.AST]) -> bool:
    """Whether a class keeps something on itself, for all of its instances."""
    own = {f"self.{name}" for name in _bound(node)} | {"self.__dict__"}
    return any(
        _root(of) in ("cls", "mcs", node.name)
        or _dotted(of).startswith(("type(self)", "self.__class__"))
        or _dotted(of) in own
        for of in changed
    ) or any(
        part.attr == "__dict__" and not isinstance(part.ctx, ast.Load)
        for part in nodes
        if isinstance(part, ast.Attribute)
    )


def _renamed(changed: Sequence[ast.expr], binding: Iterable[ast.AST]) -> Iterator[ast.expr]:
    names = {_root(of) for of in changed} - _OWN - {""}
    for part in binding if names else ():
        for name, value in _bindings(part):
            if name in names and (source := _source(value)) is not None:
                yield source
    for of in changed:
        if isinstance(of, ast.Call) and (source := _source(of)) is not None:
            yield source


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.For(target=ast.Name(id=name), iter=value)
        ):
            yield name, value
        case ast.For(target=ast.Tuple(elts=elements), iter=value):
            yield from ((e.id, value) for e in elements if isinstance(e, ast.Name))
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value


def _source(node: ast.expr) -> ast.expr | None:
    """The name that an object is reached from by attributes, items and methods that look it up."""
    while True:
        match node:
            case ast.Name():
                return node
            case ast.Attribute(value=of) | ast.Subscript(value=of):
                node = of
            case ast.Call(func=ast.Attribute(value=of, attr=name)) if name in _LOOKING:
                node = of
            case ast.Call(func=ast.Name() as function, args=[], keywords=[]):
                return function
            case _:
                return None


def _bound(node: ast.ClassDef) -> Iterator[str]:
    """Attributes that a class body itself binds, and not for each instance."""
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                _dotted(callee(value)).rpartition(".")[2] not in _FIELDS
            ):
                yield name


def _kept(node: ast.AST, given: set[str]) -> Iterator[str]:
    """The attribute of `self.name = parameter`."""
    match node:
        case (
            ast.Assign(targets=[target], value=ast.Name(id=name))
            | ast.AnnAssign(target=target, value=ast.Name(id=name))
        ) if name in given:
            if isinstance(target, ast.Attribute) and _dotted(target.value) == "self":
                yield target.attr


def _changed(nodes: Iterable[ast.AST]) -> list[ast.expr]:
    """What nodes may change: objects of which they set an attribute or item, or add to."""
    found: list[ast.expr] = []
    for node in nodes:
        kind = type(node)
        if kind not in _CHANGING:
            continue
        if isinstance(node, ast.Call):
            changed = _changed_by_call(node)
            if changed is not None:
                found.append(changed)
        elif isinstance(node, _PLACES):
            if type(node.ctx) is not ast.Load:
                found.append(node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.append(node.target)
    return found


def _changed_by_call(node: ast.Call) -> ast.expr | None:
    func = node.func
    given = node.args[0] if node.args else None
    if isinstance(func, ast.Name):
        return given if given is not None and consumes(func.id) else None
    if not isinstance(func, ast.Attribute):
        return None
    of, name = func.value, func.attr
    if given is not None and isinstance(of, ast.Name) and consumes(name, of.id):
        return given
    if _adds(name):
        return of
    return given if given is not None and consumes(name) else None


@lru_cache(maxsize=4096)
def _adds(method: str) -> bool:
    """Whether a method of that name probably changes its object."""
    return (
        is_container_method(method) or registers([method]) or _FILLING.fullmatch(method) is not None
    )


def _dotted(node: ast.AST) -> str:
    """`self.items` as text, items left out; empty for what is no name."""
    if isinstance(node, ast.Name):  # most are
        return node.id
    match node:
        case ast.Attribute(value=of, attr=name):
            start = _dotted(of)
            return f"{start}.{name}" if start else ""
        case ast.Subscript(value=of):
            return _dotted(of)
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id="self")]):
            return "type(self)"
    return ""


def _root(node: ast.AST) -> str:
    return _dotted(node).partition(".")[0]
