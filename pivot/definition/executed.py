"""Which parts of a source ran while it was loaded: a change to the others can't have mattered.

Loading does the same once more while the code that runs is the same, and so is all that it looks
at. A function that was only defined shows that code its name, signature and docstring, and not its
body; so the body is left out of what is compared.
"""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Self

from blake3 import blake3

# Since Python 3.14 a flag says whether the first constant of a function is its docstring; before,
# it is where it is text.
_HAS_DOCSTRING = 0x4000000 if sys.version_info >= (3, 14) else 0
_CONTEXT = "pivot definitions executed 1"

# Where a code object stands in that of its module: numbers of constants; the module's is empty.
type _Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Executed:
    """What of a source ran.

    Attributes:
        digest: over the code of what ran, and the heads of functions that were only defined.
        parts: the places of what ran.
        lines: the first lines of all that the digest covers, in its order.
    """

    digest: str
    parts: tuple[_Place, ...]
    lines: tuple[int, ...]

    @classmethod
    def of(cls, module: CodeType, parts: Collection[_Place]) -> Self:
        """What `module`, a source's code, has at the same places."""
        hasher = blake3(derive_key_context=_CONTEXT)
        lines: list[int] = []
        _add(module, (), frozenset(parts), hasher, lines)
        return cls(hasher.hexdigest(), tuple(sorted(parts)), tuple(lines))

    def to_json(self) -> list[object]:
        return [self.digest, self.parts, self.lines]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Self:
        digest, parts, lines = value
        return cls(digest, tuple(map(tuple, parts)), tuple(lines))


def executed(codes: Mapping[str, Sequence[CodeType]]) -> dict[str, Executed]:
    """What ran of each file, of all code objects that did, by the file's name.

    A file is left out where that is not the code of one import and what it contains: then any
    change of it counts.
    """
    found: dict[str, Executed] = {}
    for file, ran in codes.items():
        modules = [code for code in ran if code.co_qualname == "<module>"]
        if len(modules) != 1:
            continue
        places = {id(code): place for place, code in _walk(modules[0], ())}
        if all(id(code) in places for code in ran):
            found[file] = Executed.of(modules[0], {places[id(code)] for code in ran})
    return found


def _walk(code: CodeType, place: _Place) -> Iterator[tuple[_Place, CodeType]]:
    yield place, code
    for number, constant in enumerate(code.co_consts):
        if isinstance(constant, CodeType):
            yield from _walk(constant, (*place, number))


def _add(
    code: CodeType, place: _Place, parts: frozenset[_Place], hasher: blake3, lines: list[int]
) -> None:
    lines.append(code.co_firstlineno)
    if place not in parts:
        hasher.update(_text(_head(code)))
        return
    inner = [(n, c) for n, c in enumerate(code.co_consts) if isinstance(c, CodeType)]
    names = (code.co_names, code.co_varnames, code.co_cellvars)
    constants = tuple(None if isinstance(c, CodeType) else c for c in code.co_consts)
    seen = (code.co_code, code.co_exceptiontable, names, [n for n, _ in inner])
    hasher.update(_text((_head(code), seen, constants)))
    for number, constant in inner:
        _add(constant, (*place, number), parts, hasher, lines)


def _head(code: CodeType) -> tuple[object, ...]:
    """What can be seen of a function without running it, or looking at its code."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    stars = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]
    has_docstring = code.co_flags & _HAS_DOCSTRING == _HAS_DOCSTRING
    first = code.co_consts[0] if code.co_consts and has_docstring else None
    docstring = first if isinstance(first, str) else None
    return code.co_qualname, *counts, code.co_flags, arguments, code.co_freevars, docstring


def _text(value: tuple[object, ...]) -> bytes:
    """Constants as text: equal for equal ones alone, in this and any other process."""
    text = repr(value)
    if "frozenset(" in text:  # it has no order that could be relied on
        text = repr(_ordered(value))
    return text.encode() + b"\0"


def _ordered(value: object) -> object:
    if isinstance(value, frozenset):
        return "frozenset", sorted(map(repr, map(_ordered, value)))
    return tuple(map(_ordered, value)) if isinstance(value, tuple) else value
