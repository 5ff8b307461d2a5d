"""What is known of the types that annotate."""

import builtins
from typing import Final

from pivot.definition.bytecode.values import TYPE, Tag, Value

_TYPES: Final = frozenset(name for name, kind in vars(builtins).items() if isinstance(kind, type))
_GENERIC: Final = frozenset({"list", "dict", "tuple", "set", "frozenset", "type"})


def type_of(operator: str, left: Value, right: Value) -> Value | None:
    """What types give that are worked with to annotate; None for anything else."""
    if operator == "[]" and left[0] is Tag.BUILTIN and left[1] in _GENERIC:
        return TYPE
    if operator == "|" and _is_type(left) and (_is_type(right) or right == (Tag.KNOWN, None)):
        return TYPE
    return None


def is_plain_type(annotation: Value) -> bool:
    """Whether what is annotated is no `ClassVar` or `InitVar`, for all that data classes know."""
    tag, what = annotation
    if tag is Tag.LIBRARY:
        return not str(what).startswith(("typing", "dataclasses"))
    if tag is Tag.KNOWN and isinstance(what, str):
        return what.partition("[")[0].strip() in _TYPES
    return _is_type(annotation)


def _is_type(value: Value) -> bool:
    tag, what = value
    return tag in (Tag.TYPE, Tag.CLASS) or (tag is Tag.BUILTIN and what in _TYPES)
