"""What operators, loops, items and texts call without saying so, and whether that changes anything.

`app | step` calls `__or__`, `for x in table` calls `__iter__`. Mostly such a method only computes;
a class of the project's own may do more in it: note a step, or that it was gone through.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pivot.code.source.statements import (
    defaults,
    is_pure_function,
    is_reading,
)
from pivot.code.source.syntax import children, walk

_BINARY: Final = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.MatMult: "matmul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
}
_UNARY: Final = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
_COMPARING: Final = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})
_GOING_THROUGH: Final = frozenset(
    {"__iter__", "__next__", "__len__", "__getitem__", "__contains__", "__reversed__", "__bool__"}
)
_MEANT: Final = {
    "__eq__": _COMPARING,
    "__iter__": _GOING_THROUGH,
    "__getitem__": frozenset({"__getitem__", "__missing__", "__class_getitem__"}),
    "__format__": frozenset({"__format__", "__str__", "__repr__"}),
}
_GETTING: Final = frozenset({"__getattr__", "__getattribute__"})
_QUIET: Final = frozenset(
    {"type", "super", "iter", "repr", "hash", "getattr", "hasattr", "issubclass", "callable"}
    | {"abs", "round", "any", "all", "map", "filter", "id", "vars", "print", "import_module"}
)
_MAKING: Final = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__"})
_ITERATORS: Final = frozenset(
    {"iter", "map", "filter", "zip", "enumerate", "reversed", "open"}
    | {"count", "cycle", "repeat", "chain", "islice", "starmap", "accumulate", "pairwise"}
)
_YIELDING: Final[frozenset[type[ast.AST]]] = frozenset({ast.Yield, ast.YieldFrom})
# Of all other kinds of nodes, which most are of, `operations` goes on to what is below them.
_OPERATING: Final = frozenset(
    {ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign, ast.comprehension}
    | {ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.FormattedValue}
    | {ast.For, ast.Starred, ast.Assign, ast.Call}
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def names_meant(name: str) -> frozenset[str]:
    """The methods that may be called where `operations` gives this one."""
    if name in _MEANT:
        return _MEANT[name]
    return frozenset({name}) if name.startswith("__") else _GETTING | {name}


def operations(nodes: Sequence[ast.AST]) -> list[ast.expr]:
    """The methods that operators and the like call which run with `nodes` themselves.

    Each as the attribute of its object, like `app.__or__`; only of objects that have names. What
    annotations compute is left out.
    """
    found: list[ast.expr] = []
    local: set[str] = set()
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        if type(node) not in _OPERATING:
            stack += reversed(children(node))
            continue
        if isinstance(node, ast.Lambda):
            stack += defaults(node)
            continue
        if isinstance(node, _FUNCTIONS):
            stack += [*node.decorator_list, *defaults(node)]
            continue
        if isinstance(node, ast.AnnAssign):
            stack += [node.value] if node.value is not None else []
            continue
        if isinstance(node, ast.comprehension):
            local.update(n.id for n in walk(node.target) if isinstance(n, ast.Name))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.append(node)
        for operand, name in _called(node):
            if isinstance(operand, ast.Name | ast.Attribute | ast.Subscript):
                found.append(_method(operand, name))
        stack += reversed(children(node))
    return [each for each in found if _start(each) not in local]


def _called(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            yield left, f"__{_BINARY[type(op)]}__"
            yield right, f"__r{_BINARY[type(op)]}__"
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            yield operand, _UNARY[type(op)]
        case ast.Compare():
            yield from _compared(node)
        case ast.Subscript(value=value, ctx=ast.Load()):
            yield value, "__getitem__"
        case ast.FormattedValue(value=value):
            yield value, "__format__"
        case (
            ast.For(iter=value)
            | ast.comprehension(iter=value)
            | ast.Starred(value=value, ctx=ast.Load())
            | ast.Assign(targets=[ast.Tuple() | ast.List()], value=value)
        ):
            yield value, "__iter__"
        case ast.Call(func=ast.Name(id=name), args=args) if is_pure_function(name):
            yield from ((each, "__format__" if name == "str" else "__iter__") for each in args)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if is_reading(name):
            yield value, name


def _compared(node: ast.Compare) -> Iterator[tuple[ast.expr, str]]:
    for before, op, after in zip(
        (node.left, *node.comparators), node.ops, node.comparators, strict=False
    ):
        if isinstance(op, ast.In | ast.NotIn):
            yield after, "__iter__"
        elif not isinstance(op, ast.Is | ast.IsNot):
            yield before, "__eq__"
            yield after, "__eq__"


def _method(of: ast.expr, name: str) -> ast.expr:
    return ast.copy_location(ast.Attribute(of, name, ast.Load()), of)


def _start(node: ast.expr) -> str:
    """The name that an attribute or item is read from in the end; empty if it is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def acting(node: ast.ClassDef) -> frozenset[str]:
    """Methods of a class that are called by operators and the like, and may change something.

    Those, too, that are named like methods which only read.
    """
    methods = {part.name: part for part in _methods(node.body)}
    called = (name for name, method in methods.items() if _is_called(name) or _is_read(method))
    found = {name for name in called if _acts(name, methods)}
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_called(name):
                same = getattr(value, "id", "")
                if same in methods and _acts(same, methods):
                    found.add(name)
    return frozenset(found)


def flows(node: ast.stmt, nodes: Iterable[ast.AST]) -> bool:
    """Whether a statement binds an iterator, or defines a function that gives one.

    What goes through it takes something from all others. `nodes` are all of the statement.
    """
    match node:
        case ast.Assign(value=ast.GeneratorExp()):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name in _ITERATORS
        case ast.FunctionDef():
            return not _YIELDING.isdisjoint(map(type, nodes))
    return False


def _methods(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for statement in body:
        if isinstance(statement, _FUNCTIONS):
            yield statement
        elif isinstance(statement, ast.If):
            yield from _methods([*statement.body, *statement.orelse])


def _is_called(name: str) -> bool:
    return is_reading(name) or (
        name.startswith("__") and name.endswith("__") and name not in _MAKING
    )


def _is_read(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is a property, and so runs when an attribute is read."""
    return any(
        getattr(part, "attr", getattr(part, "id", "")) in ("property", "getter")
        for part in method.decorator_list
    )


def _acts(name: str, methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> bool:
    seen: set[str] = set()
    left = [name]
    while left:
        method = left.pop()
        if method in seen:
            continue
        seen.add(method)
        for part in walk(methods[method]):
            if isinstance(part, ast.Attribute | ast.Subscript):
                if not isinstance(part.ctx, ast.Load):
                    return True
            elif isinstance(part, ast.Global | ast.Nonlocal):
                return True
            elif isinstance(part, ast.Call):
                own = _own_method(part)
                if own in methods:
                    left.append(own)
                elif _may_act(part, own):
                    return True
    return False


def _own_method(call: ast.Call) -> str:
    """`name` of `self.name(...)`; empty for other calls."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return name
    return ""


def _may_act(call: ast.Call, own: str) -> bool:
    """Whether a call may change something, by its name and by what it is given."""
    match call.func:
        case ast.Name(id=name):
            gives_itself = any(isinstance(a, ast.Name) and a.id == "self" for a in call.args)
            is_class = name[:1].isupper() or name == "cls"
            if is_pure_function(name) or name in _QUIET:
                return False
            return gives_itself or not is_class
        case ast.Attribute(attr=name):
            is_dunder = name.startswith("__") and name.endswith("__")
            return bool(own) or not (is_reading(name) or is_dunder or name in _QUIET)
    return False
