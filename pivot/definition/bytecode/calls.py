"""Calls that nothing notices but who reads their result, and which can't fail."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from pivot.definition.bytecode import literals
from pivot.definition.bytecode.classes import UNORDERED, dataclass_maker, field, new_dataclass
from pivot.definition.bytecode.literals import UnsureError
from pivot.definition.bytecode.values import DECORATOR, PATH, UNKNOWN, Tag, Value

# What makes something else of any function, and what gives a function again.
_DESCRIPTORS: Final = frozenset({"property", "staticmethod", "classmethod"})
_CACHES: Final = frozenset({"functools:cache", "functools:lru_cache"})
_DECORATING: Final = frozenset({Tag.BUILTIN, Tag.LIBRARY, Tag.DECORATOR, Tag.DATACLASS})
_DECORATORS: Final = frozenset(
    {"contextlib:contextmanager", "abc:abstractmethod", "typing:final", "typing:overload"}
    | {"typing:override", "typing:no_type_check"}
)
_PATHS: Final = frozenset({"pathlib:Path", "pathlib:PurePath", "pathlib:PurePosixPath"})


def result(callee: Value, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """What a call gives; raises `UnsureError` where it may fail or do more than that."""
    tag, what = callee
    if tag is Tag.BUILTIN and what not in _DESCRIPTORS:
        known = {name: _literal(value) for name, value in named.items()}
        found = literals.call(str(what), [_literal(value) for value in arguments], known)
        return Tag.KNOWN, found
    if tag is Tag.LIBRARY and what == "functools:lru_cache" and _is_size(arguments, named):
        return DECORATOR
    if tag is Tag.LIBRARY and what == "dataclasses:field":
        return field(arguments, named)
    if tag is Tag.LIBRARY and what == "dataclasses:dataclass" and not arguments:
        return dataclass_maker(named)
    if named:
        raise UnsureError
    if tag is Tag.METHOD:
        text, name = cast("tuple[str, str]", what)
        return Tag.KNOWN, literals.method(text, name, [_literal(v) for v in arguments])
    if tag is Tag.LIBRARY and what not in _DECORATORS | _CACHES | {"dataclasses:dataclass"}:
        return _made(str(what), arguments)
    return _decorated(callee, arguments)


def _decorated(decorator: Value, arguments: Sequence[Value]) -> Value:
    """What a decorator gives that does nothing else."""
    tag, what = decorator
    if len(arguments) != 1 or tag not in _DECORATING:
        raise UnsureError
    of = arguments[0]
    if tag is Tag.DATACLASS or what == "dataclasses:dataclass":
        return new_dataclass(of, ordered=what != UNORDERED)
    if of[0] is Tag.FUNCTION and tag is Tag.LIBRARY and what in _DECORATORS:
        return of
    if of[0] in (Tag.FUNCTION, Tag.DESCRIPTOR) and (what in _DESCRIPTORS or tag is Tag.DECORATOR):
        return Tag.DESCRIPTOR, what
    if of[0] is Tag.FUNCTION and tag is Tag.LIBRARY and what in _CACHES:
        return Tag.DESCRIPTOR, what
    raise UnsureError


def _made(what: str, arguments: Sequence[Value]) -> Value:
    """What libraries make of texts and don't tell anybody."""
    if what in _PATHS and all(map(is_path, arguments)):
        return PATH
    if (
        what == "logging:getLogger"
        and len(arguments) < 2
        and all(_is_text(value) for value in arguments)
    ):
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


def _is_size(arguments: Sequence[Value], named: Mapping[str, Value]) -> bool:
    values = [*arguments, *named.values()]
    if not named.keys() <= {"maxsize"} or len(values) > 1:
        return False
    return all(tag is Tag.KNOWN and isinstance(what, int | None) for tag, what in values)
