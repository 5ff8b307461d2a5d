"""Which names the course of loading, and what it declares, may depend on.

Names stand alone, without the module that they are in or the object that they are looked up in: so
no alias leads past them. Whoever looks for names in other ways (`globals()`, a computed `getattr`)
may depend on all of them.
"""

import opcode
from collections.abc import Collection, Iterable, Iterator
from types import CodeType
from typing import Final, Protocol

from pivot.definition.bytecode.instructions import Instructions, is_change
from pivot.definition.bytecode.machine import Modules
from pivot.definition.bytecode.outline import Outline
from pivot.definition.bytecode.statement import WHOLE, Mention, Statement, names_of
from pivot.definition.influence import Influence

# What takes an attribute of an object, or a name from a module.
_OF_OBJECTS: Final = frozenset(
    opcode.opmap[name] for name in ("LOAD_ATTR", "IMPORT_NAME", "IMPORT_FROM", "STORE_ATTR")
)
_LOAD_ATTR: Final = opcode.opmap["LOAD_ATTR"]
_IMPORTS: Final = frozenset({opcode.opmap["IMPORT_NAME"], opcode.opmap["IMPORT_FROM"]})
# Who uses one of these may look up, or go through, names that are written nowhere.
_REFLECTIVE: Final = frozenset({
    "getattr", "setattr", "delattr", "hasattr", "attrgetter", "methodcaller", "globals", "locals",
    "vars", "dir", "eval", "exec", "__import__", "import_module", "modules", "inspect",
    "getmembers", "getsource", "signature", "get_type_hints", "get_annotations", "currentframe",
    "_getframe", "f_globals", "f_locals", "f_back", "gi_frame", "runpy", "pkgutil", "iter_modules",
    "walk_packages", "resolve_name", "importlib", "entry_points", "gc", "__dict__", "__globals__",
    "__builtins__", "__code__", "__closure__", "__defaults__", "__kwdefaults__", "__annotations__",
    "__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__dir__",
    "__subclasses__", "__mro__", "mro", "__bases__", "pickle", "dill", "cloudpickle", "ctypes",
    "settrace", "setprofile", "monitoring",
})  # fmt: skip


# Who uses one of these sees more of code than what it does when it runs.
_OF_CODE: Final = frozenset({
    "__code__", "f_code", "gi_code", "cr_code", "ag_code", "marshal", "dis", "cloudpickle", "dill",
    "f_lineno", "tb_lineno", "co_firstlineno", "__firstlineno__", "lineno", "currentframe",
    "_getframe", "_getframemodulename", "extract_stack", "extract_tb", "format_exc", "format_stack",
    "walk_stack", "walk_tb", "findCaller",
})  # fmt: skip


class LoadedModules(Modules, Protocol):
    """The modules that are loaded."""

    def is_loaded(self, name: str) -> bool:
        """Whether there is a module of this full name."""
        ...


def influence(
    outlines: Collection[Outline],
    ran: Iterable[CodeType],
    others: Collection[CodeType],
    modules: LoadedModules,
) -> Influence:
    """What matters to definitions that were loaded.

    Args:
        outlines: of the modules that were simply imported.
        ran: all code of these that ran.
        others: the code of other sources that ran.
        modules: those that are loaded.
    """
    statements = [statement for found in outlines for statement in found.statements]
    proven = frozenset(n for s in statements for n in s.needs if not _is_by_chance(n, modules))
    wanted = frozenset(name for statement in statements for name in statement.wanted)
    structure = {
        id(code) for found in outlines for code in (found.instructions.code, *found.bodies)
    }
    functions = [code for code in ran if id(code) not in structure]
    mentions = set(_mentions([*functions, *others], modules))
    mentions.update(_binders(statements, functions))
    for statement in statements:
        certain = proven.issuperset(statement.needs)
        mentions.update(statement.held if certain else statement.reads)
    changed = {name for statement in statements for name in statement.changes}
    changed.update(_changed_by([*functions, *others]))
    names, texts = _closed(mentions, statements)
    changed |= texts  # `patch("module.name", ...)`
    # What stands under `if TYPE_CHECKING` is left out only where that is what it should be.
    said = names | {text for text in texts if "_" in text}
    sees_code = "TYPE_CHECKING" in changed or not _OF_CODE.isdisjoint(said)
    said = names | {text for text in texts if text.startswith("__")}  # `"{0.__globals__}".format`
    of_all = None if not _REFLECTIVE.isdisjoint(said) else frozenset(names | texts)
    return Influence(of_all, wanted, frozenset(changed), proven, sees_code)


def _is_by_chance(need: str, modules: LoadedModules) -> bool:
    """Whether an attribute is a module, which is there only once somebody imported it."""
    of, is_attribute, name = need.partition("@")
    return bool(is_attribute) and modules.is_loaded(f"{of.replace(':', '.')}.{name}")


def _closed(
    mentions: Iterable[Mention], statements: Iterable[Statement]
) -> tuple[set[str], set[str]]:
    """All names in what is mentioned, in what statements read that bind one of them, and so on.

    Then those that stand in texts.
    """
    made_of: dict[str, list[tuple[Statement, int, int]]] = {}
    for statement in statements:
        for name, (start, end) in zip(statement.binds, statement.made_of, strict=True):
            if start < end:
                made_of.setdefault(name, []).append((statement, start, end))
    names: set[str] = set()
    texts: set[str] = set()
    todo = list(mentions)
    while todo:
        mention = todo.pop()
        for name in names_of(mention):
            found = names if isinstance(mention, str) else texts
            if name in found:
                continue
            is_new = name not in names and name not in texts
            found.add(name)
            if not is_new:
                continue
            for statement, start, end in made_of.get(name, ()):
                todo += statement.reads[start:end]
    return names, texts


def _binders(statements: Iterable[Statement], functions: Collection[CodeType]) -> Iterator[str]:
    """The names of what functions that ran stand in."""
    ids = {id(code) for code in functions}
    if ids:
        for statement in statements:
            if any(id(code) in ids for top in statement.codes for code in _within(top)):
                yield from statement.binds


def _mentions(codes: Iterable[CodeType], modules: LoadedModules) -> Iterator[Mention]:
    """What code may look up when it runs."""
    for code in codes:
        yield from code.co_names
        yield from ((c,) for c in code.co_consts if isinstance(c, str | tuple | frozenset))
        names = (name.rpartition(".")[2] for name in (*code.co_names, *code.co_freevars))
        if any(map(modules.is_named, names)) and _gives_module(code, modules):
            yield WHOLE


def _changed_by(codes: Iterable[CodeType]) -> Iterator[str]:
    for code in codes:
        instructions = Instructions(code)
        for _, op, argument in instructions.all:
            name = instructions.name(op, argument) if is_change(op) else None
            if name is not None:
                yield name


def _gives_module(code: CodeType, modules: LoadedModules) -> bool:
    """Whether code may use a module for itself, not only what is in it."""
    instructions = Instructions(code)
    is_before = False  # whether a module, or what may be one, is on the top of the stack
    imports = False
    for index, (_, op, argument) in enumerate(instructions.all):
        name = instructions.name(op, argument)
        is_local = name is None and opcode.opname[op].startswith(("LOAD_FAST", "LOAD_DEREF"))
        is_one = imports if is_local else name is not None and modules.is_named(name)
        if op in _IMPORTS:
            imports, is_one = True, False
        if op in _OF_OBJECTS and not (op == _LOAD_ATTR and is_before):
            is_one = False
        following = instructions.all[index + 1 : index + 2]
        if is_one and not (following and following[0][1] in _OF_OBJECTS):
            return True
        is_before = is_one
    return False


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _within(constant)
