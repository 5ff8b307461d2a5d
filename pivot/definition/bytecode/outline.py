"""What a module's statements do when it is imported, told from its bytecode without running it.

A statement binds names, and reads names. Where it does no more than that (literals, functions,
plain classes, imports of libraries), nothing notices it but who reads what it binds. Whatever else
it does may depend on what it is done with, and may be noticed by anybody: what it is done with is
*held*. What isn't known to be harmless is not.

The instructions are gone through in a straight line. Code that may run more or less often than
once is held as a whole.
"""

import opcode
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Final, cast

from pivot.definition.bytecode.classes import Body
from pivot.definition.bytecode.instructions import (
    Instructions,
    effect,
    is_change,
    is_end,
    is_unconditional,
)
from pivot.definition.bytecode.machine import Entry, Machine, Modules, Names
from pivot.definition.bytecode.statement import WHOLE, Statement
from pivot.definition.bytecode.values import UNKNOWN, Tag

_OPS: Final = opcode.opmap
_LOAD_CONST, _LOAD_NAME, _STORE_NAME = _OPS["LOAD_CONST"], _OPS["LOAD_NAME"], _OPS["STORE_NAME"]
_IF_FALSE, _IF_TRUE = _OPS["POP_JUMP_IF_FALSE"], _OPS["POP_JUMP_IF_TRUE"]
_LOAD_ATTR: Final = _OPS["LOAD_ATTR"]
_MAKE_FUNCTION: Final = _OPS["MAKE_FUNCTION"]
_FORWARD, _INTRINSIC = _OPS["JUMP_FORWARD"], _OPS["CALL_INTRINSIC_1"]
_CONSTANTS: Final = frozenset(opcode.hasconst)
_BINDINGS: Final = frozenset(
    _OPS[name] for name in ("STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL")
)
_IMPORT_STAR: Final = 2  # of CALL_INTRINSIC_1
_LOOKED_INTO: Final = frozenset({str, tuple, frozenset, CodeType})
_NULL: Final[Entry] = (Tag.NULL, None, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Outline:
    """A module's statements in order.

    `bodies` are the bodies of classes that were gone through with them.
    """

    instructions: Instructions
    statements: list[Statement]
    bodies: list[CodeType]


def outline(module: CodeType, modules: Modules) -> Outline:
    """Go through the code of a module; `modules` are those that it may import."""
    walk = _Walk(module, Names(modules), Statement(0))
    statements = walk.statements()
    return Outline(walk.instructions, statements, walk.bodies)


class _Walk(Machine):
    """One code object from its first to its last instruction."""

    def __init__(self, code: CodeType, names: Names, statement: Statement) -> None:
        super().__init__(code, names, statement)
        self._index = 0
        targets = self.instructions.targets.items()
        may_repeat = bool(code.co_exceptiontable) or any(target <= at for at, target in targets)
        self._ranges = self.instructions.conditional() if may_repeat else {}
        self._turns = {*self._ranges, *self.instructions.targets}

    def statements(self) -> list[Statement]:
        """Those of a module that bind a name, count, or need something."""
        found: list[Statement] = []
        goes_on = True
        while goes_on:
            goes_on = self._advance()
            statement = self.statement
            statement.end = self._offset(self._index)
            if statement.binds or statement.counts or statement.needs:
                found.append(statement)
            if statement.reads or statement.binds:
                self.statement = Statement(statement.end)
            else:
                statement.start = statement.end
        if self.statement.start < self.instructions.end:  # handlers of exceptions
            self._branch(sys.maxsize)
            self.statement.end = self.instructions.end
            found.append(self.statement)
        return found

    def body(self, code: CodeType) -> Body:
        """Go through the body of a class; the names that it binds are the statement's, too."""
        inner = _Walk(code, self.names, self.statement)
        inner.scope = {}
        inner.bodies = self.bodies
        self.bodies.append(code)
        while inner._advance():
            pass
        if inner._index < len(inner.instructions.all):
            inner._branch(sys.maxsize)
        return Body(inner.scope, inner.annotated, inner.typed)

    def _advance(self) -> bool:
        """Go on until nothing is on the stack; False where nothing more is sure to run."""
        every, names, constants = self.instructions.all, self.code.co_names, self.code.co_consts
        stack, turns, reads, index = self.stack, self._turns, self.statement.reads, self._index
        while index < len(every):
            start, op, argument = every[index]
            index += 1
            if start in turns:
                self._index = index
                self._turn(start, op)
                index = self._index
            elif op == _LOAD_CONST:
                value = constants[argument]
                stack.append((Tag.KNOWN, value, len(reads)))
                if type(value) in _LOOKED_INTO:
                    self.take_constant(value)
            elif op in _LOOKUPS:
                _LOOKUPS[op](self, argument)
                if stack[-1][0] is Tag.MODULE and every[index][1] != _LOAD_ATTR:
                    reads.append(WHOLE)
            elif op == _STORE_NAME:
                self.store_name(names[argument])
            elif op == _MAKE_FUNCTION:
                _, value, begin = stack[-1]
                stack[-1] = (Tag.FUNCTION, value, begin)
            elif op in _STEPS:
                _STEPS[op](self, argument)
            else:
                self._guess(op, argument)
            if not stack:
                self._index = index
                return not is_end(op)
        self._index = index
        return False

    def _offset(self, index: int) -> int:
        every = self.instructions.all
        return every[index][0] if index < len(every) else self.instructions.end

    def _turn(self, start: int, op: int) -> None:
        """Jump where that is decided; else pass by what is only gone through on a condition."""
        target = self.instructions.targets.get(start, 0)
        until = max(self._ranges.get(start, 0), target, self._offset(self._index))
        self._index -= 1
        is_decided = op == _FORWARD
        if op in (_IF_FALSE, _IF_TRUE):
            is_decided = self.stack[-1][0] is Tag.FALSE
        if start in self._ranges or not is_decided or self._is_within(target):
            self._branch(until)
            return
        self._index += 1
        if op != _FORWARD:
            self.pop()
        if op != _IF_TRUE:
            every = self.instructions.all
            while self._index < len(every) and every[self._index][0] < target:
                self._index += 1

    def _is_within(self, offset: int) -> bool:
        return any(start < offset < end for start, end in self._ranges.items())

    def _branch(self, until: int) -> None:
        """Hold all that is gone through until an offset, and until all that it jumps to."""
        instructions = self.instructions
        height = cast("int | None", len(self.stack))
        heights: dict[int, int] = {}
        while self._index < len(instructions.all):
            start, op, argument = instructions.all[self._index]
            if height is None:
                height = heights.get(start)
            if start >= until and height is not None:
                break
            until = max(until, self._ranges.get(start, 0))
            self._mention(op, argument)
            if height is not None:
                target = instructions.targets.get(start, 0)
                if target > start:
                    until = max(until, target)
                    heights[target] = height + effect(op, argument, jump=True)
                height = None if is_unconditional(op) else height + effect(op, argument, jump=False)
            self._index += 1
        self.statement.hold()
        self.names.forget()
        self.stack[:] = [(*UNKNOWN, 0)] * (height or 0)

    def _mention(self, op: int, argument: int) -> None:
        """Note what an instruction names that may or may not run."""
        statement = self.statement
        name = self.instructions.name(op, argument)
        if name is not None:
            statement.reads.append(name)
            if is_change(op):
                statement.changes += (name,)
            value = self.scope.get(name) or self.names.bound.get(name) or UNKNOWN
            following = self.instructions.all[self._index + 1 : self._index + 2]
            is_module = value[0] is Tag.MODULE
            if op == _LOAD_ATTR:
                is_module = self.names.modules.is_named(name)
            if is_module and [op for _, op, _ in following] != [_LOAD_ATTR]:
                statement.reads.append(WHOLE)
            statement.bind(name, len(statement.reads))  # what it may be is held
            self.scope.pop(name, None)
            self.names.bound.pop(name, None)
            if op in _BINDINGS:
                self.names.hide(name)
        elif op in _CONSTANTS:
            value = self.code.co_consts[argument]
            if isinstance(value, CodeType):
                statement.codes.append(value)
            else:
                statement.reads.append((value,))
        elif op == _INTRINSIC and argument == _IMPORT_STAR:
            self.import_star()

    def _guess(self, op: int, argument: int) -> None:
        """Take a step of which only is known how it changes the height of the stack."""
        height = len(self.stack) + effect(op, argument, jump=False)
        self._mention(op, argument)
        self.unsure(0)
        self.stack[:] = [(*UNKNOWN, 0)] * height

    def load_attribute_at(self, argument: int) -> None:
        """`LOAD_ATTR`, whose lowest bit says that a method is to be called."""
        self.load_attribute(self.code.co_names[argument >> 1], is_method=bool(argument & 1))

    def collect_map_of(self, count: int) -> None:
        """`BUILD_MAP`: keys and values alternate."""
        values, start = self.pop_many(2 * count)
        self.statement.computed = True  # by whether keys can be hashed
        self.collect_map(values[::2], values[1::2], start)

    def collect_named(self, count: int) -> None:
        """`BUILD_CONST_KEY_MAP`: the keys come last, as a tuple."""
        _, keys, _ = self.pop()
        values, start = self.pop_many(count)
        names = cast("tuple[object, ...]", keys)
        self.collect_map([(Tag.KNOWN, key) for key in names], values, start)

    def call_named(self, count: int) -> None:
        """`CALL_KW`: the names of arguments come last, as a tuple."""
        _, names, _ = self.pop()
        self.call(count, cast("tuple[str, ...]", names))

    def call_intrinsic(self, number: int) -> None:
        """`CALL_INTRINSIC_1`"""
        if number == _IMPORT_STAR:
            self.import_star()
        else:
            self._guess(_INTRINSIC, number)

    def swap(self, depth: int) -> None:
        """`SWAP`"""
        self.stack[-1], self.stack[-depth] = self.stack[-depth], self.stack[-1]


def _ignore(_walk: _Walk, _argument: int) -> None:
    return


def _drop(walk: _Walk, _argument: int) -> None:
    walk.stack.pop()


_STEPS_BY_NAME: Final[Mapping[str, Callable[[_Walk, int], None]]] = {
    **dict.fromkeys(("NOP", "RESUME", "SETUP_ANNOTATIONS", "MAKE_CELL", "NOT_TAKEN"), _ignore),
    **dict.fromkeys(("RETURN_CONST", "COPY_FREE_VARS", "TO_BOOL"), _ignore),
    **dict.fromkeys(("POP_TOP", "RETURN_VALUE"), _drop),
    "BINARY_OP": _Walk.operate,
    "BINARY_SUBSCR": lambda walk, _: walk.operate(26),
    "BUILD_CONST_KEY_MAP": _Walk.collect_named,
    "BUILD_LIST": lambda walk, n: walk.collect(list, n),
    "BUILD_MAP": _Walk.collect_map_of,
    "BUILD_SET": lambda walk, n: walk.collect(set, n),
    "BUILD_STRING": _Walk.join,
    "BUILD_TUPLE": lambda walk, n: walk.collect(tuple, n),
    "CALL": _Walk.call,
    "CALL_INTRINSIC_1": _Walk.call_intrinsic,
    "CALL_KW": _Walk.call_named,
    "COMPARE_OP": _Walk.compare,
    "COPY": lambda walk, n: walk.stack.append(walk.stack[-n]),
    "FORMAT_SIMPLE": lambda walk, _: walk.format(),
    "IMPORT_FROM": lambda walk, n: walk.import_from(walk.code.co_names[n]),
    "IMPORT_NAME": lambda walk, n: walk.import_name(walk.code.co_names[n]),
    "LIST_EXTEND": _Walk.extend,
    "LOAD_BUILD_CLASS": lambda walk, _: walk.push((Tag.BUILDER, None), len(walk.statement.reads)),
    "LOAD_FAST": lambda walk, _: walk.push(UNKNOWN, len(walk.statement.reads)),  # a class's cell
    "LOAD_SMALL_INT": lambda walk, n: walk.push((Tag.KNOWN, n), len(walk.statement.reads)),
    "PUSH_NULL": lambda walk, _: walk.stack.append(_NULL),
    "SET_FUNCTION_ATTRIBUTE": lambda walk, _: walk.give_function(),
    "SET_UPDATE": _Walk.extend,
    "STORE_SUBSCR": lambda walk, _: walk.store_item(),
    "SWAP": _Walk.swap,
    "UNARY_NEGATIVE": lambda walk, _: walk.negate(),
    "UNPACK_SEQUENCE": _Walk.unpack,
}
_LOOKUPS: Final[Mapping[int, Callable[[_Walk, int], None]]] = {
    _LOAD_NAME: lambda walk, n: walk.load_name(walk.code.co_names[n]),
    _LOAD_ATTR: _Walk.load_attribute_at,
}
_STEPS: Final = {_OPS[name]: step for name, step in _STEPS_BY_NAME.items() if name in _OPS}
