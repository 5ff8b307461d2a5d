"""Random programs and edits: what is told to be harmless changes nothing that is declared.

The programs run in this process, by an importer of their own.
"""

import builtins
import contextlib
import re
import sys
from dataclasses import dataclass
from types import CodeType, ModuleType

from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.definition.bytecode.outline import outline
from pivot.definition.depending import influence
from pivot.definition.mattering import executed, executed_at, module_of

MODULES = ("low", "middle", "top")
LIBRARY = "declaring"
NAMES = ("A", "B", "C", "D", "attr")
VALUES = ("0", "1", "2.5", "'s'", "'A'", "None", "[1]", "(1, 2)", "{'k': 1}", "{1, 2}")
FORMS = (
    "{a} = {v}",
    "{a} = {v}",
    "{a}: int = {v}",
    "{a} = {b}",
    "{a} = {b} + {c}",
    "{a} = {b} / {v}",
    "{a} = -{b}",
    "{a} = [{b}, {v}]",
    "{a} = {{'{b}': {c}}}",
    "{a} = f'{{{b}}}'",
    "{a}, {b} = {c}, {v}",
    "{a} = {b} = {v}",
    "{a} = tuple(sorted({b}))",
    "{a} = len({b})",
    "{a} = {b}['k']",
    "{a} = {b} if {c} else {v}",
    "{a} += {v}",
    "{a} = lambda p={b}: {c}",
    "def {a}(p={b}, q={v}): return {c}",
    "def {a}(p: {b} = {v}) -> {c}: return p",
    "def {a}():\n    global {b}\n    {b} = {v}",
    "def {a}(f): return f",
    "@{b}\ndef {a}(p={c}): return {v}",
    "class {a}:\n    attr = {b}\n    def method(self, q={c}): return {v}",
    "class {a}:\n    {b}: int = {v}",
    "class {a}({b}):\n    attr = {v}",
    "class {a}:\n    def __init_subclass__(cls): declare({b})",
    "for {a} in ({b}, {v}): pass",
    "if {b}:\n    {a} = {v}\nelse:\n    {a} = {c}",
    "try:\n    {a} = {b}\nexcept NameError:\n    {a} = {v}\nelse:\n    {c} = {v}",
    "while True:\n    {a} = {v}\n    break",
    "del {a}",
    "if __name__ == '__main__':\n    {a} = {v}",
    "declare({b})",
    "declare({b}, {v})",
    "declare({b}())",
    "declare({b}.attr)",
    "declare({b}().method())",
    "declare([x for x in ({b}, {c})])",
    "declare(locals().get('{b}'))",
    "declare('{b}' in globals())",
    "{b}.append({c})",
    "{b}['{c}'] = {v}",
    "{b}.attr = {v}",
    "{a} = {b}()",
    "import json as {a}",
    "from json import dumps as {a}",
    "from math import pi as {a}, nothing",
    "import math\n{a} = math.pi",
    "from {m} import {b}",
    "from {m} import {b} as {a}",
    "from {m} import *",
    "import {m}\n{a} = {m}.{b}",
    "import {m}\n{m}.{b} = {v}",
    "import {m}\ndeclare({m}.{b})",
    "import {m}\ndeclare(getattr({m}, '{b}', None))",
    "import {m}\ndeclare(hasattr({m}, '{b}'))",
    "import {m}\ndeclare(sorted(vars_of({m})))",
    "import {m}\n{a} = [{m}]",
    "def {a}():\n    import {m}\n    return sorted(vars_of({m}))",
    "declare([sorted(vars_of(x)) for x in {b}])",
    "__all__ = ['{b}']",
    "def __getattr__(name): return {b}",
    "from dataclasses import dataclass\n@dataclass\nclass {a}:\n    x: int = {b}\n    y: int = {v}",
    "class {a}:\n    @property\n    def attr(self): return {b}",
    "declare(dumps({b}))",
    "from json import dumps\n{a} = dumps({b})",
    "import low\ndef {a}(): low.{b} = {v}",
)

statements = st.builds(
    lambda form, a, b, c, v, m: form.format(a=a, b=b, c=c, v=v, m=m),
    st.sampled_from(FORMS),
    *(st.sampled_from(NAMES) for _ in range(3)),
    st.sampled_from(VALUES),
    st.sampled_from(MODULES),
)
programs = st.tuples(*(st.lists(statements, min_size=2, max_size=9) for _ in MODULES))


def plain(value, depth=0):
    """A value as the parts of it that are data."""
    if isinstance(value, list | tuple) and depth < 4:
        return [type(value).__name__, *(plain(item, depth + 1) for item in value)]
    if isinstance(value, dict) and depth < 4:
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, str | int | float | set | None):
        return re.sub("0x[0-9a-f]+", "0x", repr(value))  # addresses of objects
    return type(value).__name__, getattr(value, "__qualname__", "")


class Run:
    """A program that runs once: what it declares, and what ran."""

    def __init__(self, program):
        self.sources = dict(zip(MODULES, program, strict=True))
        self.modules = {}
        self.declared = []
        self.ran: dict[str, list[CodeType]] = {name: [] for name in MODULES}
        self.failed = False

    def declare(self, *values):
        self.declared.append([plain(value) for value in values])

    def load(self, *, keep_going=False):
        """Import the last module. With `keep_going`, statements that fail are left out."""
        libraries = {
            LIBRARY: {"declare": self.declare, "vars_of": vars},
            "json": {"dumps": lambda value: str(value)},
            "math": {"pi": 3.14},
            "dataclasses": {"dataclass": dataclass},
        }
        for name, content in libraries.items():  # new ones, for programs change them
            self.modules[name] = ModuleType(name)
            vars(self.modules[name]).update(content)
        before = sys.getprofile()
        sys.setprofile(self._profile)
        try:
            self._keep_going = keep_going
            self._import(MODULES[-1])
        except Exception:
            self.failed = True
        finally:
            sys.setprofile(before)
        return self

    def _profile(self, frame, event, _argument):
        name = frame.f_code.co_filename
        if event == "call" and name in self.ran:
            self.ran[name].append(frame.f_code)

    def _import(self, name):
        module = self.modules[name] = ModuleType(name)
        own = {**vars(builtins), "__import__": self._imported}
        vars(module).update(__builtins__=own, __file__=name)
        if not self._keep_going:
            exec(code_of(name, self.sources[name]), vars(module))  # noqa: S102
            return module
        kept = []
        for statement in self.sources[name]:
            with contextlib.suppress(Exception):
                exec(code_of(name, [statement], first=not kept), vars(module))  # noqa: S102
                kept.append(statement)
        self.sources[name] = kept
        return module

    def _imported(self, name, *_):
        return self.modules.get(name) or self._import(name)


def code_of(name, statements, *, first=True):
    head = [f"from {LIBRARY} import declare, vars_of"] if first else []
    return compile("\n".join([*head, *statements]), name, "exec", dont_inherit=True)


class Loaded:
    """The modules of a program."""

    def is_own(self, name):
        return name in MODULES

    is_named = is_own

    def is_loaded(self, name):
        return name in MODULES


def evidence(run):
    """What matters of each module, as the loader finds it."""
    loaded = [name for name in MODULES if run.ran[name]]
    codes = {name: module_of(list(dict.fromkeys(run.ran[name]))) for name in loaded}
    outlines = {name: outline(code, Loaded()) for name, code in codes.items()}
    ran = [code for name in loaded for code in run.ran[name]]
    found = influence(outlines.values(), ran, (), Loaded())
    return found, {name: executed(o, found, run.ran[name]) for name, o in outlines.items()}


def is_harmless(name, source, known, before):
    code = code_of(name, source)
    return before.holds_as(executed_at(outline(code, Loaded()), known, before.parts))


def edited(data, source):
    """A module's statements, of which some came, went, or are other ones."""
    index = data.draw(st.integers(0, len(source)))
    new = data.draw(st.lists(statements, max_size=2))
    gone = data.draw(st.integers(0, 2))
    return [*source[:index], *new, *source[index + gone :]]


def check(program, data):
    """Whether an edit was told to be harmless; None where there was none to tell."""
    tried = Run(program).load(keep_going=True)
    old = Run([tried.sources[name] for name in MODULES]).load()
    if old.failed:
        return None
    known, before = evidence(old)
    name = data.draw(st.sampled_from([name for name in MODULES if name in before]))
    source = edited(data, old.sources[name])
    try:
        harmless = is_harmless(name, source, known, before[name])
    except SyntaxError:
        return None
    if harmless:
        new = Run([{**old.sources, name: source}[n] for n in MODULES]).load()
        assert not new.failed, (old.sources, name, source)
        assert new.declared == old.declared, (old.sources, name, source)
    return harmless and source != old.sources[name]


@settings(max_examples=200, deadline=None)
@given(programs, st.data())
def test_what_is_declared_is_the_same_after_a_harmless_edit(program, data):
    check(program, data)
