"""Calls that nothing notices but who reads their result, and which can't fail."""

import builtins
from collections.abc import Mapping, Sequence
from typing import Final, cast

from pivot.definition import literals
from pivot.definition.literals import UnsureError
from pivot.definition.values import CLASS, DECORATOR, PATH, UNKNOWN, Tag, Value

_OF_FUNCTIONS: Final = frozenset({"property", "staticmethod", "classmethod"})
_DECORATORS: Final = frozenset(
    {"functools:cache", "functools:lru_cache", "contextlib:contextmanager", "abc:abstractmethod"}
    | {"typing:final", "typing:overload", "typing:override", "typing:no_type_check"}
)
_MAKERS: Final = frozenset({"functools:lru_cache"})
_PATHS: Final = frozenset({"pathlib:Path", "pathlib:PurePath", "pathlib:PurePosixPath"})
_PLAIN_BASES: Final = frozenset(
    {"object", "str", "int", "float", "dict", "list", "tuple", "set", "frozenset"}
    | {n for n, k in vars(builtins).items() if isinstance(k, type) and issubclass(k, Exception)}
)
_LIBRARY_BASES: Final = frozenset({"abc:ABC", "typing:Protocol"})
# What a class does when others are derived from it, or with its own attributes.
_HOOKS: Final = frozenset(
    {"__init_subclass__", "__class_getitem__", "__set_name__", "__mro_entries__", "__slots__"}
)
_QUIET_ATTRIBUTES: Final = frozenset(
    {Tag.KNOWN, Tag.LIST, Tag.MAPPING, Tag.FUNCTION, Tag.CLASS, Tag.TYPE, Tag.BUILTIN}
    | {Tag.MODULE_NAME, Tag.ANNOTATIONS, Tag.PATH, Tag.FILE}
)


def result(callee: Value, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """What a call gives; raises `UnsureError` where it may fail or do more than that."""
    tag, what = callee
    if tag is Tag.BUILTIN:
        if what in _OF_FUNCTIONS:
            return _of_function(arguments, named)
        known = {name: _literal(value) for name, value in named.items()}
        found = literals.call(str(what), [_literal(value) for value in arguments], known)
        return Tag.KNOWN, found
    if tag is Tag.METHOD and not named:
        text, name = cast("tuple[str, str]", what)
        return Tag.KNOWN, literals.method(text, name, [_literal(v) for v in arguments])
    if tag is Tag.DECORATOR:
        return _of_function(arguments, named)
    if tag is Tag.LIBRARY and what in _MAKERS and _is_size(arguments, named):
        return DECORATOR
    if tag is Tag.LIBRARY and what in _DECORATORS:
        return _of_function(arguments, named)
    if tag is Tag.LIBRARY and not named:
        return _made(str(what), arguments)
    raise UnsureError


def _made(what: str, arguments: Sequence[Value]) -> Value:
    """What libraries make of texts and don't tell anybody."""
    if what in _PATHS and all(map(is_path, arguments)):
        return PATH
    if what == "logging:getLogger" and all(_is_text(value) for value in arguments):
        return UNKNOWN
    if what == "re:compile" and len(arguments) == 1:
        literals.check_pattern(_literal(arguments[0]))
        return UNKNOWN
    raise UnsureError


def is_path(value: Value) -> bool:
    """Whether `pathlib` takes a value as a part of a path."""
    return value[0] in (Tag.PATH, Tag.FILE) or (value[0] is Tag.KNOWN and isinstance(value[1], str))


def _is_text(value: Value) -> bool:
    return value[0] is Tag.MODULE_NAME or (value[0] is Tag.KNOWN and isinstance(value[1], str))


def _literal(value: Value) -> object:
    tag, what = value
    if tag is not Tag.KNOWN:
        raise UnsureError
    return what


def _of_function(arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """The one function that is given, as something that does nothing by itself either."""
    if named or len(arguments) != 1 or arguments[0][0] is not Tag.FUNCTION:
        raise UnsureError
    return arguments[0]


def _is_size(arguments: Sequence[Value], named: Mapping[str, Value]) -> bool:
    values = [*arguments, *named.values()]
    if not named.keys() <= {"maxsize"} or len(values) > 1:
        return False
    return all(tag is Tag.KNOWN and isinstance(what, int | None) for tag, what in values)


def new_class(
    bases: Sequence[Value], named: Mapping[str, Value], body: Mapping[str, Value]
) -> Value:
    """A class whose making nothing notices; raises `UnsureError` for any other.

    Args:
        bases: what it derives from; `named` are its keywords.
        body: what its body binds.
    """
    if named or len(bases) > 1 or not all(map(_is_plain, bases)):
        raise UnsureError
    if "__slots__" in body or not all(tag in _QUIET_ATTRIBUTES for tag, _ in _own(body)):
        raise UnsureError
    return UNKNOWN if _HOOKS & body.keys() else CLASS


def _own(body: Mapping[str, Value]) -> list[Value]:
    return [value for name, value in body.items() if name != "__classcell__"]


def _is_plain(base: Value) -> bool:
    tag, what = base
    if tag is Tag.CLASS:
        return True
    if tag is Tag.BUILTIN:
        return what in _PLAIN_BASES
    return tag is Tag.LIBRARY and what in _LIBRARY_BASES
