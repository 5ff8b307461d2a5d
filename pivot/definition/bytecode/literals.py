"""Working with constants as a source does when it is imported: only what surely goes well.

Nothing here is of the user but literals: numbers, texts, and containers of them.
"""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

type Literal = object

_LARGEST: Final = 2**128
_LONGEST: Final = 100_000
_PURE: Final[Mapping[str, Callable[..., object]]] = {
    kind.__name__: kind
    for kind in (tuple, list, dict, set, frozenset, sorted, len, min, max, sum, abs, round, range)
} | {kind.__name__: kind for kind in (str, int, float, bool)}
_TEXT_METHODS: Final = frozenset({
    "join", "upper", "lower", "strip", "lstrip", "rstrip", "replace", "split", "title",
    "removesuffix", "removeprefix",
})  # fmt: skip
_OPERATORS: Final[Mapping[str, Callable[[object, object], object]]] = {
    "+": lambda a, b: a + b,  # type: ignore[operator]
    "-": lambda a, b: a - b,  # type: ignore[operator]
    "*": lambda a, b: a * b,  # type: ignore[operator]
    "/": lambda a, b: a / b,  # type: ignore[operator]
    "//": lambda a, b: a // b,  # type: ignore[operator]
    "|": lambda a, b: a | b,  # type: ignore[operator]
    "[]": lambda a, b: a[b],  # type: ignore[index]
}
_ERRORS: Final = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


class UnsureError(Exception):
    """It can't be told, or wouldn't go well."""


def operate(operator: str, left: Literal, right: Literal) -> Literal:
    """The result of an operator; raises `UnsureError`."""
    work = _OPERATORS.get(operator)
    if work is None or (operator == "*" and not (_is_number(left) and _is_number(right))):
        raise UnsureError
    return _bounded(work, (left, right), {})


def call(name: str, arguments: Sequence[Literal], named: Mapping[str, Literal]) -> Literal:
    """The result of a builtin function; raises `UnsureError`."""
    if name not in _PURE:
        raise UnsureError
    return _bounded(_PURE[name], arguments, named)


def method(text: str, name: str, arguments: Sequence[Literal]) -> Literal:
    """The result of a text's method; raises `UnsureError`."""
    if name not in _TEXT_METHODS:
        raise UnsureError
    return _bounded(getattr(text, name), arguments, {})


def check_pattern(value: Literal) -> None:
    """Raise `UnsureError` for what is no regular expression."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # who loads it may have asked for that
            re.compile(value)  # type: ignore[call-overload]
    except (re.error, TypeError, OverflowError, RecursionError, Warning) as error:
        raise UnsureError from error


def _is_number(value: Literal) -> bool:
    return isinstance(value, int | float)


def _bounded(
    work: Callable[..., object], arguments: Sequence[Literal], named: Mapping[str, Literal]
) -> Literal:
    """What `work` gives, if neither that nor the way to it can be large."""
    if any(isinstance(value, range) and len(value) > _LONGEST for value in arguments):
        raise UnsureError
    try:
        value = work(*arguments, **named)
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise UnsureError
        if hasattr(value, "__len__") and len(value) > _LONGEST:
            raise UnsureError
    except _ERRORS as error:
        raise UnsureError from error
    return value


def is_mutable(value: Literal) -> bool:
    """Whether a literal can be changed, or what is in it."""
    if type(value) is tuple:
        return any(map(is_mutable, value))
    return isinstance(value, list | dict | set)


def is_hashable(value: Literal) -> bool:
    """Whether a literal can be a key."""
    try:
        hash(value)
    except TypeError:
        return False
    return True
