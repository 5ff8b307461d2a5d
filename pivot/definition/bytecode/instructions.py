"""A code object's instructions, by what they mean: names and constants instead of their numbers.

https://docs.python.org/3/library/dis.html describes them. What isn't known here is left to who
asks: an instruction that a newer Python brings is one that may do anything.
"""

import opcode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from types import CodeType
from typing import Final

_NAMES: Final = frozenset(opcode.hasname)
_CONSTANTS: Final = frozenset(opcode.hasconst)
_JUMPS: Final = frozenset(opcode.hasjump)
_BACKWARD: Final = frozenset(op for op in _JUMPS if "BACKWARD" in opcode.opname[op])
_ENDS: Final = frozenset(
    op for name, op in opcode.opmap.items() if name.startswith(("RETURN_", "RERAISE", "RAISE_"))
) - {opcode.opmap["RETURN_GENERATOR"]}
_UNCONDITIONAL: Final = _ENDS | {
    op for op in _JUMPS if opcode.opname[op].startswith("JUMP") and op < len(opcode.opname)
}
_CHANGES: Final = frozenset(
    op
    for name, op in opcode.opmap.items()
    if name in ("STORE_ATTR", "STORE_GLOBAL", "DELETE_ATTR", "DELETE_GLOBAL", "DELETE_NAME")
)
_CACHE: Final = opcode.opmap["CACHE"]
_EXTENDED: Final = opcode.opmap["EXTENDED_ARG"]
# Bits of the argument that come after the number of the name.
_FLAGS: Final = {opcode.opmap["LOAD_ATTR"]: 1, opcode.opmap["LOAD_GLOBAL"]: 1} | {
    opcode.opmap["LOAD_SUPER_ATTR"]: 2
}


@dataclass(frozen=True, slots=True)
class Protected:
    """A range of offsets whose exceptions go to a handler."""

    start: int
    end: int
    target: int
    depth: int  # of the stack, and whether the place of the instruction is put on it


type Instruction = tuple[int, int, int]
"""Offset (of the prefix where there is one), code, argument."""


class Instructions:
    """Those of `code`, in order, with where they jump to."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.all: list[Instruction] = []
        jumps: list[int] = []
        data = code.co_code
        extended = start = 0
        add = self.all.append
        for offset, op, argument in zip(count(0, 2), data[::2], data[1::2], strict=False):
            if op == _CACHE:
                continue
            if op == _EXTENDED:
                start = start if extended else offset
                extended = (argument | extended) << 8
                continue
            if op in _JUMPS:
                jumps.append(len(self.all))
            if extended:
                add((start, op, argument | extended))
                extended = 0
            else:
                add((offset, op, argument))
        self.end = len(data)
        self.targets = {self.all[i][0]: self._target(i) for i in jumps}

    def _target(self, index: int) -> int:
        _, op, arg = self.all[index]
        return self.after(index) + (-2 * arg if op in _BACKWARD else 2 * arg)

    def after(self, index: int) -> int:
        """The offset of what follows on an instruction."""
        return self.all[index + 1][0] if index + 1 < len(self.all) else self.end

    def name(self, op: int, arg: int) -> str | None:
        """The name that an instruction uses."""
        return self.code.co_names[arg >> _FLAGS.get(op, 0)] if op in _NAMES else None

    def meaning(self, op: int, arg: int) -> object:
        """The argument with names and constants in place of their numbers.

        Code is told of as such: what it has is looked at by itself.
        """
        if op in _NAMES:
            flags = _FLAGS.get(op, 0)
            return self.code.co_names[arg >> flags], arg & ((1 << flags) - 1)
        if op in _CONSTANTS:
            value = self.code.co_consts[arg]
            return (None,) if isinstance(value, CodeType) else (type(value).__name__, value)
        return arg

    def protected(self) -> list[Protected]:
        """The ranges that have handlers."""
        return list(_protected(self.code.co_exceptiontable))

    def conditional(self) -> dict[int, int]:
        """Ranges of offsets, start to end, that may run more or less often than once.

        Forward jumps are left out: they are met before what they skip.
        """
        ranges: dict[int, int] = {}
        protected = self.protected()
        first = min((found.target for found in protected), default=self.end)
        for start, target in self.targets.items():
            # From a handler it goes on behind what is protected.
            if target <= start and not target < first <= start:
                ranges[target] = max(ranges.get(target, 0), start + 2)
        for found in protected:
            end = max(found.end, self._resumed(found.target, protected))
            ranges[found.start] = max(ranges.get(found.start, 0), end)
        return ranges

    def _resumed(self, handler: int, protected: list[Protected]) -> int:
        """Where the code goes on, at the latest, after a handler."""
        first = min(found.target for found in protected)
        indices = {instruction[0]: i for i, instruction in enumerate(self.all)}
        latest, seen, todo = 0, set[int](), [handler]
        while todo:
            offset = todo.pop()
            if offset in seen or offset not in indices:
                continue
            if offset < first:
                latest = max(latest, offset)
                continue
            seen.add(offset)
            index = indices[offset]
            op = self.all[index][1]
            if opcode.opname[op].startswith("RETURN"):
                latest = self.end
            todo += [p.target for p in protected if p.start <= offset < p.end]
            if offset in self.targets:
                todo.append(self.targets[offset])
            if op not in _UNCONDITIONAL:
                todo.append(self.after(index))
        return latest


def is_change(op: int) -> bool:
    """Whether an instruction binds its name, or not any more, elsewhere than where it stands."""
    return op in _CHANGES


def is_end(op: int) -> bool:
    """Whether nothing follows on an instruction, and it doesn't jump."""
    return op in _ENDS


def is_unconditional(op: int) -> bool:
    """Whether what stands behind an instruction isn't reached from it."""
    return op in _UNCONDITIONAL


def effect(op: int, arg: int, *, jump: bool) -> int:
    """By how much an instruction changes the height of the stack."""
    return opcode.stack_effect(op, arg if op in _WITH_ARGUMENT else None, jump=jump)


_WITH_ARGUMENT: Final = frozenset(opcode.hasarg)


def _protected(table: bytes) -> Iterator[Protected]:
    """The entries of an exception table; Objects/exception_handling_notes.txt has the format."""
    numbers = _numbers(table)
    for start in numbers:
        size, target, depth = next(numbers), next(numbers), next(numbers)
        yield Protected(2 * start, 2 * (start + size), 2 * target, depth)


def _numbers(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = value << 6 | byte & 0x3F
        if not byte & 0x40:
            yield value
            value = 0
