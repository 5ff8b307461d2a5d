"""Going through the code of a module, or of a class in it, with values in place of objects."""

import builtins
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Final, Protocol

from pivot.definition.bytecode import literals
from pivot.definition.bytecode.annotations import is_plain_type, type_of
from pivot.definition.bytecode.calls import is_path, result
from pivot.definition.bytecode.classes import Body, new_class
from pivot.definition.bytecode.instructions import Instructions
from pivot.definition.bytecode.literals import UnsureError, is_hashable
from pivot.definition.bytecode.statement import Statement
from pivot.definition.bytecode.values import (
    FALSE,
    LIST,
    MAPPING,
    MODULE,
    MUTABLE,
    NULL,
    PATH,
    UNKNOWN,
    Tag,
    Value,
    member,
)


class Modules(Protocol):
    """Which modules there are, as far as that is known."""

    def is_own(self, name: str) -> bool:
        """Whether a module, by its full name, is the project's."""
        ...

    def is_named(self, name: str) -> bool:
        """Whether one of the project's has this name within its package."""
        ...


type Entry = tuple[Tag, object, int]
"""On the stack: a value, and where in what the statement mentions begins what it is made of."""

# The arguments of BINARY_OP that are worked with here; those that change an object are not.
_OPERATORS: Final = {0: "+", 2: "//", 5: "*", 7: "|", 10: "-", 11: "/", 26: "[]"}
_EQUAL: Final = 2
# Names that only people and tools look at; other names with underscores mean something to Python.
_TELLING: Final = frozenset({"__doc__", "__version__", "__author__", "__annotations__", "__all__"})
# What the body of each class binds, without being told to.
_OF_EVERY_CLASS: Final = frozenset(
    {"__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__classcell__"}
)
_EVERYWHERE: Final[Mapping[str, Value]] = {
    **{name: (Tag.BUILTIN, name) for name in vars(builtins)},
    **dict.fromkeys(("__doc__", "__package__", "__spec__", "__loader__"), UNKNOWN),
    "__file__": (Tag.FILE, None),
    "__name__": (Tag.MODULE_NAME, None),
    "__annotations__": (Tag.ANNOTATIONS, None),
}


@dataclass(slots=True)
class Names:
    """What names stand for in a module, as far as its code has come.

    `modules` are what modules there are; `others` is what those stand for that nothing binds.
    """

    modules: Modules
    bound: dict[str, Value] = field(default_factory=dict)
    others: Mapping[str, Value] = field(default_factory=lambda: _EVERYWHERE)

    def forget(self, *, all_of_it: bool = False) -> None:
        """Forget what an object is that other code may have changed by now."""
        for name, (tag, what) in self.bound.items():
            if tag is Tag.KNOWN and (all_of_it or isinstance(what, MUTABLE)):
                self.bound[name] = UNKNOWN

    def hide(self, name: str) -> None:
        """Let a name that may or may not be bound not stand for what it does elsewhere."""
        if name in self.others:
            self.others = {other: v for other, v in self.others.items() if other != name}

    def take_any(self) -> None:
        """Let all names stand for anything: all of another module's were taken."""
        self.bound = dict.fromkeys(self.bound, UNKNOWN)
        self.others = {}


class Machine(ABC):
    """What an interpreter has while it runs code: a stack, and names.

    `statement` is the one that is being gone through; `scope` is where names are bound, which is
    that of a class in its body.
    """

    def __init__(self, code: CodeType, names: Names, statement: Statement) -> None:
        self.code = code
        self.instructions = Instructions(code)
        self.names = names
        self.scope = names.bound
        self.statement = statement
        self.bodies: list[CodeType] = []
        self.annotated: list[str] = []
        self.typed: set[str] = set()
        self.stack: list[Entry] = []

    # -- the stack ----------------------------------------------------------------------------

    def push(self, value: Value, start: int) -> None:
        self.stack.append((*value, start))

    def pop(self) -> Entry:
        return self.stack.pop()

    def pop_many(self, count: int) -> tuple[list[Value], int]:
        """The topmost values, and where begins what they are made of."""
        if count == 0:
            return [], len(self.statement.reads)
        entries = self.stack[-count:]
        del self.stack[-count:]
        return [entry[:2] for entry in entries], min([entry[2] for entry in entries])

    def unsure(self, start: int, *, names_only: bool = False) -> None:
        """Hold what something is done with that may be noticed."""
        self.statement.hold(start, names_only=names_only)
        self.names.forget()
        stack = self.stack  # has what was loaded before, and may be changed by now
        for index, (tag, what, begin) in enumerate(stack):
            if tag is Tag.KNOWN and literals.is_mutable(what):
                stack[index] = (*UNKNOWN, begin)

    # -- names --------------------------------------------------------------------------------

    def load_name(self, name: str) -> None:
        names = self.names
        value = self.scope.get(name) or names.others.get(name)
        if self.scope is not names.bound and name not in self.scope:
            value = names.bound.get(name) or value
        reads = self.statement.reads
        reads.append(name)
        if value is None:
            self.unsure(len(reads) - 1)
            value = UNKNOWN
        self.stack.append((value[0], value[1], len(reads) - 1))

    def store_name(self, name: str) -> None:
        tag, what, start = self.stack.pop()
        if type(what) is tuple and literals.is_mutable(what):
            tag, what = LIST  # others may change what is in it
        self.scope[name] = (tag, what)
        is_of_class = self.scope is not self.names.bound
        is_by_itself = is_of_class and name in _OF_EVERY_CLASS
        if is_by_itself or (name == "__doc__" and tag is Tag.KNOWN):
            del self.statement.reads[start:]  # nobody wrote it, or wrote it for people
        if not is_by_itself:
            self.statement.bind(name, start)
        if name.startswith("__") and name not in _TELLING and not is_of_class:
            self.statement.counts = True

    def take_constant(self, value: object) -> None:
        """Note a constant on the stack that is code, or may have texts."""
        if isinstance(value, CodeType):
            self.statement.codes.append(value)
        else:
            self.statement.reads.append((value,))

    # -- imports ------------------------------------------------------------------------------

    def import_name(self, module: str) -> None:
        (level, wanted), start = self.pop_many(2)
        statement = self.statement
        statement.reads.append(module)
        names = wanted[1] if isinstance(wanted[1], tuple) else ()
        if level[1] == 0 and not self.names.modules.is_own(module):
            statement.needs += (module,)
            statement.libraries += (module,)
            top = module if names else module.partition(".")[0]
            self.push((Tag.LIBRARY, top), start)
            return
        statement.counts = True
        statement.wanted += names
        statement.reads += [*names, *module.split(".")]
        self.names.forget(all_of_it=True)
        self.push(MODULE, start)

    def import_from(self, name: str) -> None:
        reads = self.statement.reads
        start = len(reads)
        tag, module, _ = self.stack[-1]
        if tag is not Tag.LIBRARY:
            reads.append(name)
            self.push(MODULE if self.names.modules.is_named(name) else UNKNOWN, start)
            return
        reads.append(f"{module}.{name}")
        known = member(str(module), name)
        self.statement.needs += (known,)
        self.push(_library(known), start)

    def import_star(self) -> None:
        """All names of a module, which may be any."""
        self.statement.reads.append("__all__")
        self.unsure(0)
        self.names.take_any()
        self.scope = self.names.bound

    # -- objects ------------------------------------------------------------------------------

    def load_attribute(self, name: str, *, is_method: bool) -> None:
        tag, of, start = self.pop()
        self.statement.reads.append(name)
        value: Value = UNKNOWN
        if tag is Tag.LIBRARY:
            self.statement.needs += (f"{of}@{name}",)
            value = _library(member(str(of), name))
        elif tag is Tag.KNOWN and isinstance(of, str) and is_method:
            value = (Tag.METHOD, (of, name))
        elif tag is Tag.DESCRIPTOR and of == "property" and name in ("setter", "deleter"):
            value = (Tag.DECORATOR, "property")
        elif tag is Tag.PATH and name == "parent" and not is_method:
            value = PATH
        else:
            self.unsure(start)
            if tag is Tag.MODULE and self.names.modules.is_named(name):
                value = MODULE  # in its package
        self.push(value, start)
        if is_method:
            self.push(NULL, start)

    def operate(self, number: int) -> None:
        operator = _OPERATORS.get(number, "")
        tag, what, _ = self.pop()
        right: Value = (tag, what)
        tag, what, start = self.pop()
        value = type_of(operator, (tag, what), right)
        if value is None:
            try:
                value = self._operated(operator, (tag, what), right)
            except UnsureError:
                self.unsure(start)
                value = UNKNOWN
        self.push(value, start)

    def _operated(self, operator: str, left: Value, right: Value) -> Value:
        if operator == "/" and PATH in (left, right) and is_path(left) and is_path(right):
            self.statement.computed = True
            return PATH
        if not left[0] is right[0] is Tag.KNOWN:
            raise UnsureError
        self.statement.computed = True
        return Tag.KNOWN, literals.operate(operator, left[1], right[1])

    def negate(self) -> None:
        tag, what, start = self.pop()
        if tag is Tag.KNOWN and isinstance(what, int | float):
            self.statement.computed = True
            self.push((Tag.KNOWN, -what), start)
        else:
            self.unsure(start)
            self.push(UNKNOWN, start)

    def compare(self, argument: int) -> None:
        (left, right), start = self.pop_many(2)
        is_main = left[0] is Tag.MODULE_NAME and right == (Tag.KNOWN, "__main__")
        if is_main and argument >> 5 == _EQUAL:
            self.push(FALSE, start)
            return
        self.unsure(start)
        self.push(UNKNOWN, start)

    def collect(self, kind: type, count: int) -> None:
        """A list, tuple or set of so many values."""
        values, start = self.pop_many(count)
        items = [what for tag, what in values if tag is Tag.KNOWN]
        if len(items) == count and (kind is not set or all(map(is_hashable, items))):
            self.statement.computed |= kind is set
            self.push((Tag.KNOWN, kind(items)), start)
            return
        if kind is set:
            self.unsure(start)
        self.push(UNKNOWN if kind is set else LIST, start)

    def collect_map(self, keys: Sequence[Value], values: Sequence[Value], start: int) -> None:
        if not all(tag is Tag.KNOWN and is_hashable(key) for tag, key in keys):
            self.unsure(start)
            self.push(UNKNOWN, start)
            return
        known = {
            key: what
            for (_, key), (tag, what) in zip(keys, values, strict=True)
            if tag is Tag.KNOWN
        }
        is_known = len(known) == len(keys)
        self.push((Tag.KNOWN, known) if is_known else MAPPING, start)

    def extend(self, depth: int) -> None:
        """Add what is in one list or set to another."""
        tag, added, start = self.pop()
        to, has, first = self.stack[-depth]
        now: Value = UNKNOWN
        if tag is Tag.KNOWN and isinstance(added, list | tuple | set | frozenset):
            if to is Tag.LIST:
                now = LIST
            elif to is Tag.KNOWN and isinstance(has, list):
                now = (Tag.KNOWN, [*has, *added])
            elif to is Tag.KNOWN and isinstance(has, set) and all(map(is_hashable, added)):
                now = (Tag.KNOWN, {*has, *added})
        self.statement.computed = True
        if now is UNKNOWN:
            self.unsure(min(start, first))
        self.stack[-depth] = (*now, first)

    def unpack(self, count: int) -> None:
        tag, what, start = self.pop()
        if tag is Tag.KNOWN and isinstance(what, tuple | list) and len(what) == count:
            self.statement.computed = True
            self.stack += [(Tag.KNOWN, item, start) for item in reversed(what)]
            return
        self.unsure(start)
        self.stack += [(*UNKNOWN, start)] * count

    def format(self) -> None:
        tag, what, start = self.pop()
        if tag is Tag.KNOWN and isinstance(what, str | int | float | None):
            self.statement.computed = True
            self.push((Tag.KNOWN, str(what)), start)
            return
        self.unsure(start)
        self.push(UNKNOWN, start)

    def join(self, count: int) -> None:
        """Make one text of several, which all are texts."""
        values, start = self.pop_many(count)
        if all(tag is Tag.KNOWN for tag, _ in values):
            self.push((Tag.KNOWN, "".join(str(what) for _, what in values)), start)
        else:
            self.push(UNKNOWN, start)

    def give_function(self) -> None:
        """Defaults, annotations, or what it has from the function around it."""
        tag, function, _ = self.pop()
        start = self.pop()[2]
        self.stack.append((tag, function, start))

    def store_item(self) -> None:
        key, name, _ = self.pop()
        to, _, place = self.pop()
        kind, annotation, start = self.pop()
        if to is Tag.ANNOTATIONS and key is Tag.KNOWN:
            self.annotated.append(str(name))
            if (kind, annotation) == (Tag.LIBRARY, "dataclasses:KW_ONLY"):
                self.unsure(start)  # it may be there once
            if is_plain_type((kind, annotation)):
                self.typed.add(str(name))
            del self.statement.reads[place]  # nobody wrote that the annotations are asked for
        else:
            self.unsure(start)

    # -- calls --------------------------------------------------------------------------------

    def call(self, count: int, names: tuple[str, ...] = ()) -> None:
        """Call with so many arguments, the last of which have names."""
        (callee, of, *arguments), start = self.pop_many(count + 2)
        if of[0] is not Tag.NULL:
            arguments.insert(0, of)
        split = len(arguments) - len(names)
        named = dict(zip(names, arguments[split:], strict=True))
        try:
            if callee[0] is Tag.BUILDER:
                value = self._class(arguments[:split], named)
            else:
                value = result(callee, arguments[:split], named)
                self.statement.computed = True
        except UnsureError:
            declares = callee[0] is Tag.LIBRARY and str(callee[1]).startswith("pivot:")
            self.unsure(start, names_only=declares)
            value = callee if declares else UNKNOWN
        self.push(value, start)

    def _class(self, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
        (_, code), _, *bases = arguments
        if not isinstance(code, CodeType):
            raise UnsureError
        self.statement.computed |= bool(bases)
        return new_class(bases, named, self.body(code))

    @abstractmethod
    def body(self, code: CodeType) -> Body:
        """Go through the body of a class."""


def _library(name: str) -> Value:
    return FALSE if name == "typing:TYPE_CHECKING" else (Tag.LIBRARY, name)
