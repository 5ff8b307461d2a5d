"""Made-up projects that do odd things when they are imported, each changed in one place.

Registries that are filled from elsewhere, patches, classes that note their subclasses: the same few
objects are changed in many ways, in several modules. Each project is run before and after a
mutation, in this process; if the stage gives something else, its fingerprint must have changed.
"""

import importlib
import importlib.abc
import importlib.util
import random
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from pivot.code.fingerprint import Fingerprint, ProjectCode
from pivot.paths import RepoPath
from tests.fingerprint.memory import InMemory
from tests.fingerprint.mutation.mutators import Mutant, mutants, mutate

PROJECTS = 150
MUTANTS = 12  # of each project

REG = """
import functools
LOG = []
TABLE = {"start": 0}
FLAG = False
class App:
    made = 0
    def __init__(self, name="app"):
        self.name, self.items = name, []
    def add(self, item, *, key="k"):
        self.items.append((key, item))
        return item
    def route(self, key):
        def wrap(function):
            self.items.append((key, function))
            return function
        return wrap
    def __lshift__(self, item):
        self.items.append(item)
        return self
app = App()
other = App("other")
def register(function):
    LOG.append(function)
    return function
def named(name, weight=1):
    def wrap(function):
        TABLE[name] = (weight, function)
        return function
    return wrap
def put(key, value):
    TABLE[key] = value
    return key
class Base:
    kinds = []
    size = 2
    def __init_subclass__(cls, **options):
        Base.kinds.append((cls.__name__, options))
    def area(self):
        return self.size * scale(3)
class Plain:
    def area(self):
        return 5
class Noted:
    def __set_name__(self, owner, name):
        LOG.append((owner.__name__, name))
def scale(x, by=2):
    return x * by + offset()
def offset():
    return LIMITS["low"]
LIMITS = {"low": 1, "high": scale.__defaults__[0]}
@functools.singledispatch
def show(value):
    return "any"
@functools.lru_cache
def cached(n):
    return n + FACTOR
FACTOR = 10
"""
# What modules do; {n} is a number of their own, {m} their name.
DOES = [
    "@reg.register\ndef f{n}_{m}():\n    return {n}",
    "@reg.named('{m}{n}', weight={n})\ndef g{n}_{m}():\n    return h_{m}({n})",
    "@reg.app.route('r{n}')\ndef r{n}_{m}(x=K_{m}):\n    return x",
    "reg.LOG.append({n})",
    "reg.LOG += [{n}, K_{m}]",
    "reg.TABLE['{m}{n}'] = K_{m} + {n}",
    "reg.TABLE.update(a={n}, b=h_{m}(1))",
    "reg.TABLE.setdefault('d', []).append({n})",
    "reg.app << {n}",
    "V{n}_{m} = reg.app.add({n}, key='{m}')",
    "V{n}_{m} = reg.put('{m}', h_{m}({n}))",
    "for i_{m} in range({n}):\n    reg.LOG.append((i_{m}, '{m}'))",
    "if K_{m} > 2:\n    reg.FLAG = {n}\nelse:\n    reg.FLAG = -{n}",
    "try:\n    import missing_{m}\nexcept ImportError:\n    reg.TABLE['missing'] = {n}",
    "class C{n}_{m}(reg.Base, kind={n}):\n    size = {n}",
    "class P{n}_{m}(reg.Plain):\n    def area(self):\n        return {n}",
    "class N{n}_{m}:\n    slot = reg.Noted()\n    other{n} = reg.Noted()",
    "class S{n}_{m}:\n    reg.TABLE['body'] = {n}",
    "def init_{m}():\n    reg.LIMITS['low'] = {n}\ninit_{m}()",
    "def late_{m}():\n    import extra\n    return extra\nL{n}_{m} = late_{m}()",
    "reg.scale = lambda x, by=3: x * by + {n}",
    "reg.App.made = {n}",
    "setattr(reg.App, 'made', K_{m})",
    "reg.Plain.area = lambda self: {n}",
    "@reg.show.register\ndef _(value: int):\n    return {n}",
    "alias_{m} = reg.LOG\nalias_{m} += [{n}]",
    "from reg import app as own_{m}\nown_{m}.items.append({n})",
    "box_{m} = reg.App('{m}')\nreg.other.items.append(box_{m})\nbox_{m}.add({n})",
    "def ann_{m}(x: reg.put('ann', {n})):\n    pass",
    "def dflt_{m}(*, x=reg.LOG.append({n})):\n    pass",
    "[reg.LOG.append(q) for q in ({n}, K_{m})]",
    "_ = [reg.register(q) for q in (h_{m}, {n})]",
    "__import__('extra')",
    "reg.FACTOR = K_{m}\nreg.cached({n})",
    "with open('/dev/null') as null:\n    reg.LOG.append({n})",
    (
        "import contextlib\nwith contextlib.suppress(KeyError):\n    del reg.TABLE['start']\n"
        "    reg.LOG.append(reg.TABLE.pop('none'))"
    ),
    (
        "match K_{m}:\n    case 1 | 2:\n        reg.TABLE['case'] = {n}\n    case _:\n"
        "        reg.TABLE['case'] = -{n}"
    ),
    "globals()['dyn_{m}'] = reg.put('dyn', {n})",
    "exec('reg.LOG.append({n})')",
]
EXTRA = "import reg\nreg.LOG.append('extra')\n"
# What the stage looks at.
SEES = [
    *("reg.LOG", "reg.TABLE", "reg.FLAG", "reg.app.items", "reg.other.items", "reg.Base.kinds"),
    *("reg.scale(4)", "reg.App.made", "reg.Plain().area()", "reg.show(3)", "reg.LIMITS"),
    *("[k.__name__ for k in reg.Plain.__subclasses__()]", "reg.cached(2)", "peek(reg.Plain)"),
    *("[f() for f in reg.LOG if callable(f)]", "sorted(map(str, reg.TABLE))", "used()"),
]


def make(seed: int) -> dict[str, str]:
    """The files of a project."""
    chosen = random.Random(seed)
    files = {"reg.py": REG, "extra.py": EXTRA}
    for name in ("pa", "pb"):
        does = [
            text.replace("{n}", str(chosen.randint(1, 5))).replace("{m}", name)
            for text in chosen.sample(DOES, chosen.randint(1, 4))
        ]
        start = f"K_{name} = {chosen.randint(1, 4)}\ndef h_{name}(x):\n    return x + K_{name}\n"
        files[f"{name}.py"] = "import reg\n" + start + "\n".join(does) + "\n"
    imports = ["import pa", "import pb", "import reg", "from reg import *", "from pa import *"]
    sees = ", ".join(chosen.sample(SEES, chosen.randint(1, 2)))
    files["pipeline.py"] = (
        "import reg\n"
        + "\n".join(chosen.sample(imports, chosen.randint(2, 4)))
        + "\ndef used():\n    import pa\n    return pa.h_pa(1)\n"
        + "def peek(kind):\n    return [k().area() for k in kind.__subclasses__()]\n"
        + f"def train():\n    return [{sees}]\n"
    )
    return files


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of a made-up project."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def find_spec(self, name, path=None, target=None):
        known = f"{name}.py" in self._files
        return importlib.util.spec_from_loader(name, self) if known else None

    def exec_module(self, module) -> None:
        file = f"{module.__name__}.py"
        exec(compile(self._files[file], file, "exec"), module.__dict__)  # noqa: S102


@contextmanager
def importable(files: Mapping[str, str]) -> Iterator[None]:
    finder = Finder(files)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for file in files:
            sys.modules.pop(file.removesuffix(".py"), None)


def outcome(files: Mapping[str, str]) -> str | None:
    """What the stage gives or raises; None where a module can't be imported."""
    with importable(files):
        try:
            train = importlib.import_module("pipeline").train
        except Exception:
            return None
        try:
            return plain(train())
        except Exception as error:
            frames = traceback.walk_tb(error.__traceback__)
            if any(frame.f_code.co_name == "<module>" for frame, _ in frames):
                return None
            return f"{type(error).__name__}: {error}"


def plain(value: object) -> str:
    """The value as text, functions and objects by their names and what they hold."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{plain(k)}: {plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(plain, value)) + "]"
    if isinstance(value, type) or callable(value):
        return getattr(value, "__qualname__", "") + plain(getattr(value, "__defaults__", None))
    if type(value).__module__ == "reg":
        return f"{type(value).__name__}{plain(vars(value))}"
    return repr(value)


def fingerprint(files: Mapping[str, str]) -> Fingerprint:
    sources = {path: text.encode() for path, text in files.items()}
    return ProjectCode(InMemory(sources), [RepoPath(".")]).fingerprint("pipeline:train")


def chosen_mutants(files: Mapping[str, str], seed: int) -> list[Mutant]:
    """Some mutants, most of them in the modules that do things."""
    chosen = random.Random(seed)
    shared = [m for path in ("reg.py", "extra.py") for m in mutants(path, files[path])]
    acting = [m for path in ("pa.py", "pb.py", "pipeline.py") for m in mutants(path, files[path])]
    few = MUTANTS // 4
    return [*chosen.sample(shared, few), *chosen.sample(acting, min(MUTANTS - few, len(acting)))]


def missed(seed: int) -> Iterator[str]:
    """Mutants of one project that the stage notices and the fingerprint doesn't."""
    files = make(seed)
    first = outcome(files)
    if first is None or first != outcome(files):
        return
    before = fingerprint(files)
    for mutant in chosen_mutants(files, seed):
        changed = files | {mutant.file: mutate(files[mutant.file], mutant)}
        then = outcome(changed)
        if then is None or then == first or "def train" not in changed["pipeline.py"]:
            continue
        if fingerprint(changed).code == before.code:
            yield f"seed {seed}, {mutant.kind} at {mutant.file}:{mutant.line}: {first} / {then}"


def check(seeds: range) -> None:
    noticed = [what for seed in seeds for what in missed(seed)]
    assert not noticed, "\n".join(noticed[:20])


def test_most_made_up_projects_run():
    assert sum(outcome(make(seed)) is not None for seed in range(40)) > 20


def test_what_made_up_projects_notice_is_never_missed():
    check(range(PROJECTS))


@pytest.mark.soak
def test_what_many_made_up_projects_notice_is_never_missed():
    check(range(PROJECTS, 100 * PROJECTS))
