"""What top-level statements do when a module is imported: bind names, call, change objects."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pivot.code.source import declarations
from pivot.code.source.scopes import caught
from pivot.code.source.syntax import BELOW, children, walk

# Tuples, for they are asked of every node, and a union of classes is made anew each time.
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINABLE: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PLACES: Final = (ast.Attribute, ast.Subscript)
_CALLING: Final = frozenset({*_DEFINABLE, ast.Call, ast.BinOp})
_HOOKS: Final = frozenset({ast.FunctionDef, ast.Attribute})
# Metaclasses that don't register the classes they make.
_QUIET_METACLASSES: Final = frozenset({"ABCMeta", "EnumMeta", "EnumType", "type"})
_PURE_FUNCTIONS: Final = frozenset(
    {"range", "zip", "enumerate", "reversed", "sorted", "len", "min", "max", "sum", "product"}
    | {"list", "tuple", "dict", "set", "frozenset", "str", "int", "float", "bool", "isinstance"}
)
# Methods that are taken not to change what they belong to: of loggers, tables, texts.
_READING: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
    | {"get", "items", "keys", "values", "copy"}
    | {"format", "join", "split", "strip", "startswith", "endswith"}
)
_PURE_METHODS: Final = frozenset(
    {"items", "keys", "values", "get", "copy", "format", "join", "split", "strip", "replace"}
    | {"lower", "upper", "startswith", "endswith", "product"}
)
_REGISTERING: Final = re.compile(
    "regist|subscri|hook|handler|listen|plugin|callback", re.IGNORECASE
)
_CONTAINERS: Final = frozenset({"dict", "list", "set", "OrderedDict", "deque", "WeakSet"})
_CONTAINER_METHODS: Final = frozenset(
    {"append", "appendleft", "extend", "insert", "add", "update", "setdefault"}
    | {"pop", "remove", "discard", "clear"}
)


def own_nodes(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """All nodes that run with `nodes` themselves: not the bodies of functions in them."""
    found: list[ast.AST] = []
    stack = [*reversed(nodes)]
    while stack:
        node = stack.pop()
        found.append(node)
        below = _RUN.get(type(node))
        if below is not None:
            stack += reversed(below(node))
    return found


def defaults(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.expr]:
    """The defaults of a function, which are computed where it is defined."""
    return [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]


def annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of a function, which are computed where it is defined."""
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    found = [a.annotation for a in every if a is not None and a.annotation is not None]
    return [*found, node.returns] if node.returns is not None else found


def _run_by_definition(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [*node.decorator_list, *defaults(node), *annotations(node)][::-1]


# What runs with a node itself, as `BELOW`.
_RUN: Final[Mapping[type[ast.AST], Callable[[Any], Sequence[ast.AST]]]] = {
    **BELOW,
    ast.FunctionDef: _run_by_definition,
    ast.AsyncFunctionDef: _run_by_definition,
    ast.Lambda: lambda node: defaults(node)[::-1],
}


def function_bodies(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """What runs when functions and methods that `nodes` define are called."""
    bodies: list[ast.AST] = []
    stack = [*reversed(nodes)]
    while stack:
        node = stack.pop()
        below = BELOW.get(type(node))
        if below is None:
            continue
        if isinstance(node, _FUNCTIONS):
            bodies += node.body
        elif isinstance(node, ast.Lambda):
            bodies.append(node.body)
        stack += reversed(below(node))
    return bodies


def calls(own: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Calls and decorators among the nodes that run with some code itself."""
    for node in own:
        if type(node) not in _CALLING:
            continue
        if isinstance(node, ast.Call):
            yield node
        elif isinstance(node, _DEFINABLE):
            yield from node.decorator_list
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.RShift):
            # Objects that are given steps, or joined, by such an operator: `app << step`.
            for operand in (node.left, node.right):
                method = ast.Attribute(operand, "__lshift__", ast.Load())
                yield ast.copy_location(method, operand)


def callee(call: ast.expr) -> ast.expr:
    """What a call or a decorator, `f`, `f(...)` or `f(...)(...)`, calls in the end."""
    while isinstance(call, ast.Call):
        call = call.func
    return call


def bound_names(nodes: Sequence[ast.AST], *, imports: bool = False) -> list[str]:
    """Module-level names that `nodes` bind, in order of appearance."""
    names: dict[str, None] = {}
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        match node:
            case ast.Name() if not isinstance(node.ctx, ast.Load):
                names[node.id] = None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names[node.name] = None
                continue
            case ast.Lambda():
                continue
            case ast.comprehension():
                stack += [node.iter, *node.ifs]
                continue
            case ast.alias():
                if imports and node.name != "*":
                    names[node.asname or node.name.partition(".")[0]] = None
            case _:
                names.update(dict.fromkeys(caught(node)))
        stack += reversed(children(node))
    return list(names)


def import_statements(own: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports among the nodes that run with some code itself."""
    for node in own:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def stores_into(own: Iterable[ast.AST]) -> bool:
    """Whether the nodes that run with a statement set or delete an attribute or an item."""
    places = [part for part in own if isinstance(part, _PLACES)]
    return any(type(part.ctx) is not ast.Load for part in places)


def acts(nodes: Sequence[ast.AST], declared: frozenset[str]) -> bool:
    """Whether code does more than defining names, importing and declaring to Pivot."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case ast.Call():
                if declarations.is_declared(node, declared):
                    continue
                if not _is_pure(node):
                    return True
            case ast.Expr() if _is_for_effect(node.value, declared):
                return True
            case ast.With() | ast.AsyncWith():
                return True
            case ast.For() if _extends_its_variable(node):
                return True
            case ast.Assert() | ast.Delete() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return True
            case ast.Raise():
                continue  # what it computes is never used by a module that was imported
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                return True
        stack += children(node)
    return False


def _extends_its_variable(loop: ast.For) -> bool:
    """Whether a loop does `x += ...` to what it goes through, which may change it in place."""
    names = {n.id for n in walk(loop.target) if isinstance(n, ast.Name)}
    return any(
        isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id in names
        for node in own_nodes(loop.body)
    )


def _is_for_effect(node: ast.expr, declared: frozenset[str]) -> bool:
    """Whether an expression whose value nobody takes can only be there for what it does."""
    match node:
        case ast.Call():
            return not declarations.is_declared(node, declared)
        case ast.BinOp() | ast.Attribute() | ast.Subscript():
            return not any(declarations.is_declared(c, declared) for c in calls(own_nodes([node])))
    return False


def _is_pure(call: ast.Call) -> bool:
    """Whether a call only computes, by its name: what loops that declare stages are made of."""
    func = call.func
    if isinstance(func, ast.Name):
        return func.id in _PURE_FUNCTIONS
    return isinstance(func, ast.Attribute) and func.attr in _PURE_METHODS


def is_container_call(call: ast.Call) -> bool:
    """Whether this is `NAME.append(...)` or the like, without other calls in it."""
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr not in _CONTAINER_METHODS:
        return False
    return sum(isinstance(node, ast.Call) for node in own_nodes([call])) == 1


def is_container(name: str) -> bool:
    """Whether this is a kind of container."""
    return name in _CONTAINERS


def is_pure_function(name: str) -> bool:
    """Whether a built-in of that name only computes."""
    return name in _PURE_FUNCTIONS


def is_quiet(name: str) -> bool:
    """Whether a method of that name is taken not to change what a stage would see of its object."""
    return name in _READING


def is_reading(name: str) -> bool:
    """Whether methods of that name are taken for reading or computing somewhere."""
    return name in _READING or name in _PURE_METHODS


def is_container_method(name: str) -> bool:
    """Whether containers have a method of that name which changes them."""
    return name in _CONTAINER_METHODS


def is_main_test(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    sides = [test.left, test.comparators[0]]
    return (
        isinstance(test.ops[0], ast.Eq)
        and any(isinstance(s, ast.Name) and s.id == "__name__" for s in sides)
        and any(isinstance(s, ast.Constant) and s.value == "__main__" for s in sides)
    )


def is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def learns_of_subclasses(node: ast.stmt, nodes: Iterable[ast.AST]) -> bool:
    """Whether a class statement has hooks that run, or looks for, its subclasses.

    `nodes` are all of it.
    """
    if not isinstance(node, ast.ClassDef):
        return False
    for keyword in node.keywords:
        name = getattr(keyword.value, "attr", getattr(keyword.value, "id", None))
        if keyword.arg == "metaclass" and name not in _QUIET_METACLASSES:
            return True
    return any(
        (isinstance(part, ast.FunctionDef) and part.name == "__init_subclass__")
        or (isinstance(part, ast.Attribute) and part.attr == "__subclasses__")
        for part in nodes
        if type(part) in _HOOKS
    )


def is_alias(node: ast.stmt) -> bool:
    """Whether a statement is `NAME = other.thing`, so that both may be one object."""
    return isinstance(getattr(node, "value", None), ast.Name | ast.Attribute | ast.Subscript)


def makes_empty_container(node: ast.stmt) -> bool:
    """Whether a statement is `NAME = {}`, `NAME = defaultdict(list)` or the like."""
    match getattr(node, "value", None):
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            return name == "defaultdict" or (name in _CONTAINERS and not args)
    return False


def registers(names: Iterable[str]) -> bool:
    """Whether a function of such names probably keeps what it is given, for others to find."""
    return any(map(_is_registering, names))


@lru_cache(maxsize=4096)
def _is_registering(name: str) -> bool:
    return _REGISTERING.search(name) is not None
