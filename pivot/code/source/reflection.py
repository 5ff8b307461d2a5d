"""Names that code gives as text: `getattr(x, "name")`, `import_module("m")` and their like."""

import ast
from collections.abc import Iterator
from typing import Final, TypeIs

from pivot.code.source.scopes import Origin, Place
from pivot.code.source.syntax import parse, walk

_LOADERS: Final = frozenset({"import_module", "__import__", "run_module", "resolve_name"})
_ATTRIBUTE_CALLS: Final = frozenset({"getattr", "hasattr", "setattr", "delattr"})
_TABLE: Final = "sys.modules"
_LOADING_MODULES: Final = frozenset({"importlib", "runpy", "pkgutil"})

_LOOK_UPS: Final = frozenset({"get", "setdefault", "pop"})
_REFLECTING: Final = _LOADERS | _ATTRIBUTE_CALLS | _LOOK_UPS

ANY: Final = "*"
"""The last part of a dotted name that stands for every module of a package."""


def loader_names(tree: ast.Module) -> frozenset[str]:
    """Names that a module gives to `import_module` and its like."""
    return frozenset(
        alias.asname
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in _LOADING_MODULES
        for alias in node.names
        if alias.name in _LOADERS and alias.asname
    )


def is_reflecting(function: str, place: Place) -> bool:
    """Whether a function of that name may be one of those that are given names as text."""
    return function in _REFLECTING or function in place.loaders


def table_names(tree: ast.Module) -> frozenset[str]:
    """What a module calls `sys.modules`, that name included."""
    found = {_TABLE}
    for node in tree.body:
        match node:
            case ast.Import(names=names):
                found.update(f"{n.asname}.modules" for n in names if n.name == "sys" and n.asname)
            case ast.ImportFrom(module="sys", names=names):
                found.update(n.asname or n.name for n in names if n.name == "modules")
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _dotted(value) in found:
                found.add(name)
    return frozenset(found)


def is_loader(func: ast.expr, place: Place) -> bool:
    """Whether a call of this imports a module by its name."""
    if isinstance(func, ast.Name):
        return func.id in _LOADERS or func.id in place.loaders
    return isinstance(func, ast.Attribute) and func.attr in _LOADERS


def loaded(node: ast.AST, place: Place) -> Origin | None:
    """What `import_module("m")`, `sys.modules["m"]`, `resolve_name("m:name")` ... give."""
    text: ast.expr | None = None
    if isinstance(node, ast.Call) and node.args and is_loader(node.func, place):
        text = node.args[0]
    elif isinstance(node, ast.Subscript) and is_sys_modules(node.value, place):
        text = node.slice
    elif is_look_up(node, place):
        text = node.args[0]
    if isinstance(text, ast.Name) and text.id == "__name__":
        return Origin(place.module)
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    name, _, member = text.value.partition(":")
    module = _absolute(name, place)
    return Origin(module, member.partition(".")[0] or None) if module else None


def loadable(name: ast.expr, place: Place) -> str | None:
    """The modules that a computed name may stand for, as `package.*`; None if nothing tells."""
    start = _start(name, place)
    if start is None or "." not in start:
        return None
    package = _absolute(start.rpartition(".")[0] or ".", place)
    return f"{package}.{ANY}" if package else None


def _absolute(name: str, place: Place) -> str:
    """A module's absolute name; empty for what is none."""
    inner = name.lstrip(".")
    if inner and not all(part.isidentifier() for part in inner.split(".")):
        return ""
    return place.absolute(inner, len(name) - len(inner))


def _start(text: ast.expr, place: Place) -> str | None:
    """What a computed text surely begins with."""
    match text:
        case ast.Constant(value=str(value)):
            return value
        case ast.Name(id="__name__"):
            return place.module
        case ast.Name(id="__package__"):
            return place.package
        case ast.JoinedStr(values=[first, *rest]):
            inner = first.value if isinstance(first, ast.FormattedValue) else first
            start = _start(inner, place)
            follows = rest and isinstance(first, ast.FormattedValue)
            return start if start is None or not follows else start + (_start(rest[0], place) or "")
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            start = _start(left, place)
            whole = isinstance(left, ast.Constant | ast.Name)
            return start if start is None or not whole else start + (_start(right, place) or "")
        case ast.BinOp(left=ast.Constant(value=str(value)), op=ast.Mod()):
            return value.partition("%")[0]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(value)), attr="format")):
            return value.partition("{")[0]
    return None


def dotted_texts(tree: ast.Module) -> Iterator[str]:
    """The texts of a module that may be modules' names."""
    for node in walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if len(text) < 200 and all(part.isidentifier() for part in text.split(".")):
                yield text


def attribute_text(node: ast.AST) -> tuple[ast.AST, str] | None:
    """`x` and `name` of `getattr(x, "name")` and its like."""
    match node:
        case ast.Call(
            func=ast.Name(id=name), args=[of, ast.Constant(value=str(attribute)), *_]
        ) if name in _ATTRIBUTE_CALLS:
            return of, attribute
    return None


def read_chain(node: ast.AST, place: Place) -> tuple[tuple[str, ...], ast.AST | Origin]:
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
    origin = loaded(node, place) if may_load else None
    return tuple(attributes), node if origin is None else origin


def is_sys_modules(node: ast.AST, place: Place) -> bool:
    """Whether this is `sys.modules`, by whatever name."""
    if isinstance(node, ast.Name):
        return node.id in place.tables
    return isinstance(node, ast.Attribute) and _dotted(node) in place.tables


def is_look_up(node: ast.AST, place: Place) -> TypeIs[ast.Call]:
    """Whether this is `sys.modules.get(...)` or the like."""
    match node:
        case ast.Call(func=ast.Attribute(value=of, attr=name), args=[_, *_]) if name in _LOOK_UPS:
            return is_sys_modules(of, place)
    return False


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
    return ""


def globals_item(node: ast.Subscript) -> str | None:
    """`NAME` of `globals()["NAME"]`."""
    match node:
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="globals"), args=[]),
            slice=ast.Constant(value=str(name)),
        ):
            return name
    return None


def parsed(text: object) -> list[ast.AST]:
    """Source text inside a string as syntax; nothing where it isn't any."""
    if not isinstance(text, str):
        return []
    try:
        return list(parse(text.strip()).body)
    except (SyntaxError, ValueError):
        return []


def annotation_parts(node: ast.expr | None) -> list[ast.AST]:
    """An annotation, with those parsed that are written as strings."""
    if node is None:
        return []
    parts: list[ast.AST] = [node]
    if isinstance(node, ast.Name):  # most are
        return parts
    for child in walk(node):
        if isinstance(child, ast.Constant):
            parts += parsed(child.value)
    return parts
