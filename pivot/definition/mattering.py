"""What of a source matters to definitions: a change to the rest of it can't have mattered.

Loading does the same once more while the code that runs is the same, and so is all that it looks
at. What only binds names that nothing depends on is left out. A function that was only defined
shows the code that ran its name, signature and docstring, and not its body; so the body is left out
of what is compared.
"""

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from types import CodeType
from typing import Final

from blake3 import blake3

from pivot.definition.bytecode.classes import HOOKS
from pivot.definition.bytecode.instructions import Instructions
from pivot.definition.bytecode.outline import Outline
from pivot.definition.bytecode.statement import Statement, names_of
from pivot.definition.executed import Executed, Place
from pivot.definition.influence import Influence
from pivot.definition.standard import PACKAGES, is_standard

# Since Python 3.14 a flag says whether the first constant of a function is its docstring; before,
# it is where it is text.
_HAS_DOCSTRING = 0x4000000 if sys.version_info >= (3, 14) else 0
_CONTEXT = "pivot definitions executed 3"
_LINE: Final = "__firstlineno__"  # where a class begins, which its body binds


def executed(outline: Outline, influence: Influence, ran: Collection[CodeType]) -> Executed:
    """What matters of a module that was loaded; `ran` is the code that did."""
    ids = {id(code) for code in ran}
    mattering = [s for s in outline.statements if matters(s, influence)]
    places = {p for p, code in _places(mattering) if id(code) in ids}
    return _executed(outline, influence, mattering, frozenset(places))


def executed_at(outline: Outline, influence: Influence, parts: Collection[Place]) -> Executed:
    """The same of a module in which the code at these places runs."""
    mattering = [s for s in outline.statements if matters(s, influence)]
    return _executed(outline, influence, mattering, frozenset(parts))


def _executed(
    outline: Outline,
    influence: Influence,
    mattering: Sequence[Statement],
    parts: frozenset[Place],
) -> Executed:
    sum_ = _Sum(outline, mattering, parts)
    sum_.add_all(influence.wanted)
    libraries = {name for s in outline.statements for name in s.libraries}
    names = influence.names
    # Code that says `import urllib` may find `urllib.parse` there because others imported it.
    is_by_chance = names is None or not names.isdisjoint(PACKAGES)
    return Executed(
        sum_.hasher.hexdigest(),
        tuple(sorted(parts)),
        tuple(sum_.lines),
        tuple(sorted(name for name in libraries if is_by_chance or not is_standard(name))),
    )


def matters(statement: Statement, influence: Influence) -> bool:
    """Whether another statement in place of this one might change what is declared."""
    names = influence.names
    if names is None or statement.counts or not influence.proven.issuperset(statement.needs):
        return True
    if not names.isdisjoint(statement.binds):
        return True
    changed = influence.changed
    if any(_asked_for(need) in changed for need in statement.needs):
        return True
    # What it was computed with may be another value by then, and a class one that does something
    # when others are derived from it.
    return statement.computed and (
        not HOOKS.isdisjoint(changed)
        or any(
            name in changed
            for mention in statement.reads
            if isinstance(mention, str)
            for name in names_of(mention)
        )
    )


def _asked_for(need: str) -> str:
    """The name in a library that a statement takes; nothing where it only imports that."""
    return need.replace("@", ":").partition(":")[2].rpartition(".")[2]


def module_of(ran: Sequence[CodeType]) -> CodeType | None:
    """The module whose code ran; None where that is not the code of one import and in it."""
    modules = [code for code in ran if code.co_qualname == "<module>"]
    if len(modules) != 1:
        return None
    inside = {id(constant) for constant in modules[0].co_consts} | {id(modules[0])}
    if all(id(code) in inside for code in ran):
        return modules[0]
    inside = {id(code) for _, code in _walk(modules[0], ())}
    return modules[0] if all(id(code) in inside for code in ran) else None


def _walk(code: CodeType, place: Place) -> Iterator[tuple[Place, CodeType]]:
    yield place, code
    for number, constant in enumerate(code.co_consts):
        if isinstance(constant, CodeType):
            yield from _walk(constant, (*place, number))


def _places(mattering: Sequence[Statement]) -> Iterator[tuple[Place, CodeType]]:
    for number, statement in enumerate(mattering):
        for nth, code in enumerate(statement.codes):
            yield from _walk(code, (number, nth))


class _Sum:
    """The digest of a module, and the lines of what it covers."""

    def __init__(
        self, outline: Outline, mattering: Sequence[Statement], parts: frozenset[Place]
    ) -> None:
        self.hasher = blake3(derive_key_context=_CONTEXT)
        self.lines: list[int] = []
        self._outline = outline
        self._parts = parts
        self._mattering = mattering
        self._ends = [statement.end for statement in mattering]

    def add_all(self, wanted: frozenset[str]) -> None:
        """Add the statements that matter; of others, where they are, names that are wanted."""
        number = 0
        for statement in self._outline.statements:
            if number < len(self._mattering) and statement is self._mattering[number]:
                self._add_statement(statement, number)
                number += 1
            elif not wanted.isdisjoint(statement.binds):
                names = wanted.intersection(statement.binds)
                self.hasher.update(_text(("names", *sorted(names))))
        for found in self._outline.instructions.protected():
            offsets = (found.start, found.end, found.target)
            places = [self._placed(offset) for offset in offsets]
            self.hasher.update(_text(("protected", *places, found.depth)))

    def _add_statement(self, statement: Statement, number: int) -> None:
        instructions = self._outline.instructions
        every, targets = instructions.all, instructions.targets
        seen: list[object] = []
        for start, op, argument in every[bisect_left(every, (statement.start, 0, 0)) :]:
            if start >= statement.end:
                break
            if start in targets:
                seen.append((op, self._placed(targets[start], statement)))
            else:
                seen.append((op, instructions.meaning(op, argument)))
        self.hasher.update(_text(("statement", *seen)))
        for nth, code in enumerate(statement.codes):
            self._add_code(code, (number, nth))

    def _placed(self, offset: int, within: Statement | None = None) -> tuple[int, int]:
        """An offset of the module as one in a statement that matters, which has a number."""
        if within is not None and within.start <= offset <= within.end:
            return -1, offset - within.start
        number = bisect_left(self._ends, offset)
        if number == len(self._ends):
            return -2, offset
        return number, offset - self._mattering[number].start

    def _add_code(self, code: CodeType, place: Place) -> None:
        self.lines.append(code.co_firstlineno)
        if place not in self._parts:
            self.hasher.update(_text(_head(code)))
            return
        names = (code.co_varnames, code.co_cellvars, code.co_exceptiontable)
        self.hasher.update(_text((_head(code), names, *_meanings(code))))
        for number, constant in enumerate(code.co_consts):
            if isinstance(constant, CodeType):
                self._add_code(constant, (*place, number))


def _meanings(code: CodeType) -> Iterator[object]:
    """What a function, or the body of a class, does; but for where that stands."""
    instructions = Instructions(code)
    every = instructions.all
    for index, (_, op, argument) in enumerate(every):
        meaning = instructions.meaning(op, argument)
        if _LINE in code.co_names and index + 1 < len(every):
            _, following, its = every[index + 1]
            if instructions.name(following, its) == _LINE:
                meaning = None
        yield op, meaning


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
