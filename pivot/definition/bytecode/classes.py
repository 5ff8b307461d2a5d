"""Classes whose making nothing notices, and which can't fail."""

import builtins
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pivot.definition.bytecode.literals import UnsureError, is_hashable
from pivot.definition.bytecode.values import CLASS, UNKNOWN, Tag, Value

UNORDERED: Final = "unordered"
"""Of a decorator for data classes: fields without a default may follow those with one."""

_PLAIN_BASES: Final = frozenset(
    {"object", "str", "int", "float", "dict", "list", "tuple", "set", "frozenset"}
    | {n for n, k in vars(builtins).items() if isinstance(k, type) and issubclass(k, Exception)}
)
_LIBRARY_BASES: Final = frozenset({"abc:ABC", "typing:Protocol"})
# What a class does when others are derived from it, or with its own attributes.
HOOKS: Final = frozenset(
    {"__init_subclass__", "__class_getitem__", "__set_name__", "__mro_entries__", "__slots__"}
)
_QUIET: Final = frozenset(
    {Tag.KNOWN, Tag.LIST, Tag.MAPPING, Tag.FUNCTION, Tag.DESCRIPTOR, Tag.CLASS, Tag.TYPE, Tag.FIELD}
    | {Tag.BUILTIN, Tag.MODULE_NAME, Tag.ANNOTATIONS, Tag.PATH, Tag.FILE}
)
# Options of data classes that only add methods which a class doesn't have by itself.
_OPTIONS: Final = frozenset({"frozen", "slots", "kw_only", "repr", "eq"})
_HASHABLE: Final = frozenset(
    {Tag.FUNCTION, Tag.CLASS, Tag.TYPE, Tag.BUILTIN, Tag.PATH, Tag.FILE, Tag.MODULE_NAME}
)
_OF_FIELDS: Final = frozenset({"default", "default_factory", "repr", "init", "compare", "kw_only"})


@dataclass(frozen=True, slots=True)
class Body:
    """What the body of a class binds, and which names it annotates, in order.

    `typed` are those of them whose annotation is a type for sure.
    """

    bound: Mapping[str, Value]
    annotated: Sequence[str]
    typed: Collection[str]


def new_class(bases: Sequence[Value], named: Mapping[str, Value], body: Body) -> Value:
    """A class whose making nothing notices; raises `UnsureError` for any other.

    `named` are its keywords, its metaclass among them.
    """
    bound = body.bound
    if named or len(bases) > 1 or not all(map(_is_plain, bases)):
        raise UnsureError
    own = [value for name, value in bound.items() if name != "__classcell__"]
    tag, name = bound.get("__qualname__", UNKNOWN)
    if not (tag is Tag.KNOWN and isinstance(name, str) and all(tag in _QUIET for tag, _ in own)):
        raise UnsureError
    if "__slots__" in bound:
        raise UnsureError
    if HOOKS & bound.keys():
        return UNKNOWN
    return CLASS if bases else (Tag.CLASS, body)


def _is_plain(base: Value) -> bool:
    tag, what = base
    if tag is Tag.CLASS:
        return True
    if tag is Tag.BUILTIN:
        return what in _PLAIN_BASES
    return tag is Tag.LIBRARY and what in _LIBRARY_BASES


def dataclass_maker(named: Mapping[str, Value]) -> Value:
    """`dataclass` with options."""
    for name, (tag, what) in named.items():
        if name not in _OPTIONS or tag is not Tag.KNOWN or not isinstance(what, bool):
            raise UnsureError
    return Tag.DATACLASS, UNORDERED if named.get("kw_only", UNKNOWN)[1] else None


def new_dataclass(of: Value, *, ordered: bool) -> Value:
    """A data class; raises `UnsureError` where it might be refused.

    Args:
        of: the class itself, which derives from no other.
        ordered: whether fields without a default come first.
    """
    tag, body = of
    if tag is not Tag.CLASS or not isinstance(body, Body):
        raise UnsureError
    special = {name for name in body.bound if name.startswith("__")}
    if special - _PLAIN or any(name.startswith("__annot") for name in body.annotated):
        raise UnsureError
    has_default = False
    for name in body.annotated:
        value = body.bound.get(name)
        if value is not None and value[0] is Tag.FIELD and name not in body.typed:
            raise UnsureError  # a `ClassVar` may not have all that fields have
        is_default = value is not None and _is_default(value)
        if has_default and not is_default and ordered:
            raise UnsureError
        has_default |= is_default
    return CLASS


# What a data class may have that is special: what every class has, and what isn't made for it.
_PLAIN: Final = frozenset(
    {"__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__classcell__"}
    | {"__doc__", "__post_init__", "__str__", "__annotations__"}
)


def _is_default(value: Value) -> bool:
    """Whether a field has a default; raises `UnsureError` for one that would be refused."""
    tag, what = value
    if tag is Tag.FIELD:
        return bool(what)
    if tag in _HASHABLE or (tag is Tag.KNOWN and is_hashable(what)):
        return True
    raise UnsureError


def field(arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """`dataclasses.field`: whether it has a default; raises `UnsureError` for what may fail."""
    if (
        arguments
        or not named.keys() <= _OF_FIELDS
        or {"default", "default_factory"} <= named.keys()
    ):
        raise UnsureError
    for name, value in named.items():
        if name == "default":
            _is_default(value)
        elif name == "default_factory":
            if value[0] not in (Tag.FUNCTION, Tag.CLASS, Tag.BUILTIN):
                raise UnsureError
        elif value[0] is not Tag.KNOWN or not isinstance(value[1], bool):
            raise UnsureError
        elif name == "kw_only" and not value[1]:
            raise UnsureError  # it may be one of few that have an order
    return Tag.FIELD, not named.keys().isdisjoint({"default", "default_factory"})
