"""Edits of what runs when definitions are loaded: which can't matter to them, and which might."""

import shutil

import pytest

from tests.unit.definition.conftest import Project

SOURCES = {
    "pipeline.py": '''
        """Stages."""
        import json
        import logging
        import re
        from pathlib import Path
        from typing import TYPE_CHECKING

        import config
        import training
        from config import FOLDER as WHERE, LEARNING_RATE
        from lib import names, registry
        from pivot import Out, stage

        if TYPE_CHECKING:
            from lib import absent

        EPOCHS = 3
        ROOT = Path(__file__).parent
        PATTERN = re.compile("a+")
        log = logging.getLogger(__name__)
        log.setLevel(logging.INFO)
        GROUPS = {"heavy": "gpu", "light": "cpu"}
        REGISTERED = [entry for entry in registry.ENTRIES]

        @stage(deps=[names.raw("first")], outs=[Out(f"{WHERE}/first.csv")], mutex=[GROUPS["heavy"]])
        def first():
            return EPOCHS, LEARNING_RATE

        @stage(deps=[config.CFG.source], outs=[config.PATHS.out])
        def second():
            return PATTERN

        for name in config.TARGETS:
            def make():
                return name
            make.__name__ = make.__qualname__ = name
            globals_free = make

        @stage(deps=list(REGISTERED), outs=["third"], cwd=config.CWD, version=config.VERSION,
               extra_code=[config.SQL])
        def third():
            return training.train()

        def unused(limit=EPOCHS, rate: float = 0.5):
            return limit

        if __name__ == "__main__":
            first(EPOCHS)
        ''',
    "config.py": '''
        import dataclasses

        FOLDER = "made"
        SUFFIX = ".csv"
        LEARNING_RATE = 0.1
        MOMENTUM = 0.9
        LAYERS = [64, 32]
        DECAY = LEARNING_RATE * 10
        TARGETS = ()
        CWD = "work"
        VERSION = 3
        SQL = "sql"

        class PATHS:
            """Where things are."""
            out = "out.csv"
            other = "other"

        class Hyper:
            deep = 3
            wide: int = 4

        @dataclasses.dataclass
        class Config:
            source: str = "source.csv"
            seed: int = 1

        CFG = Config()

        @dataclasses.dataclass(frozen=True)
        class Schedule:
            """Not used by stages."""
            steps: int
            peak: float = 0.5
            drops: list[int] = dataclasses.field(default_factory=list)

            def __post_init__(self):
                pass
        ''',
    "lib/__init__.py": "",
    "lib/names.py": """
        from config import SUFFIX

        PREFIX = "raw_"
        UNUSED_PREFIX = "x_"

        def raw(name, prefix=PREFIX):
            return "/".join(["work", prefix + name + _suffix()])

        def _suffix():
            try:
                return SUFFIX
            except NameError:
                return FALLBACK

        FALLBACK = ".txt"
        """,
    "lib/registry.py": """
        ENTRIES = []
        COUNT = 2
        TITLE = "Entry"

        def register(name, times=COUNT):
            def decorate(function):
                ENTRIES.extend([name] if times else [])
                return function
            return decorate

        @register("one")
        def one(size=TITLE):
            return 1
        """,
    "training.py": '''
        import math
        from functools import lru_cache

        from config import LEARNING_RATE, MOMENTUM

        try:
            import absent_accelerator as accelerator
        except ImportError:
            accelerator = None

        HALF = math.pi / 2
        BATCH = 32
        STEPS = 10 * BATCH
        NAMES = tuple(sorted({"b": 1, "a": 2}))
        LABELS = {"low": BATCH, "high": STEPS}

        @lru_cache(maxsize=None)
        def table(size: int = BATCH) -> list[int]:
            return [size]

        class Model:
            """A model."""
            size = BATCH

            def __init__(self, rate: float = LEARNING_RATE) -> None:
                self.rate = rate

            @property
            def speed(self):
                return self.rate

            @speed.setter
            def speed(self, value):
                self.rate = value

        class ModelError(Exception):
            pass

        def train(rate: float = LEARNING_RATE, *, momentum=MOMENTUM) -> "Model":
            return Model(rate)
        ''',
}

HARMLESS = {
    "a number": ("config.py", "LEARNING_RATE = 0.1", "LEARNING_RATE = 0.2"),
    "a number of another kind": ("config.py", "MOMENTUM = 0.9", "MOMENTUM = 1"),
    "a list": ("config.py", "[64, 32]", "[64, 32, 16]"),
    "a list in place of a number": ("config.py", "MOMENTUM = 0.9", "MOMENTUM = [0.9]"),
    "an attribute of a class": ("config.py", "deep = 3", "deep = 4"),
    "an annotated attribute": ("config.py", "wide: int = 4", "wide: int = 5"),
    "a new attribute": ("config.py", "deep = 3", "deep = 3\n    high = 2"),
    "a new constant": ("config.py", "MOMENTUM = 0.9", "MOMENTUM = 0.9\nWARMUP = 100"),
    "a new annotated constant": ("config.py", "MOMENTUM = 0.9", "MOMENTUM = 0.9\nWARM: int = 1"),
    "a constant of constants": ("config.py", "LAYERS =", "WIDE = MOMENTUM + 1\nLAYERS ="),
    "a constant that goes": ("config.py", "LAYERS = [64, 32]\n", ""),
    "a constant that others import": ("config.py", "LEARNING_RATE = 0.1", "LEARNING_RATE = 1e-3"),
    "a default": ("training.py", "rate: float = LEARNING_RATE, *", "rate: float = 0.3, *"),
    "a default by keyword": ("training.py", "momentum=MOMENTUM", "momentum=0.5"),
    "a default of a method": ("training.py", "(self, rate: float = LEARNING_RATE)", "(self, r=1)"),
    "an annotation": ("training.py", '-> "Model"', "-> None"),
    "a new parameter": ("training.py", "train(rate", "train(first=1, rate"),
    "an import": ("training.py", "import math", "import math\nimport decimal"),
    "an import by another name": ("training.py", "import math", "import math\nimport json as j"),
    "names of an import": ("training.py", "import math", "import math\nfrom csv import reader"),
    "an import that goes": ("pipeline.py", "import json\n", ""),
    "a dotted import": ("training.py", "import math", "import math\nimport os.path"),
    "a number that another is made of": ("training.py", "BATCH = 32", "BATCH = 64"),
    "a number made of another": ("training.py", "10 * BATCH", "20 * BATCH"),
    "what is sorted": ("training.py", '{"b": 1, "a": 2}', '{"b": 1, "c": 2}'),
    "a dictionary": ("training.py", '"low": BATCH', '"lower": BATCH, "mid": [BATCH]'),
    "a function": ("training.py", "def train", "def more(x, y=1):\n    return x\n\ndef train"),
    "a decorated function": (
        "training.py",
        "def train",
        "@lru_cache\ndef m(x):\n    return x\n\ndef train",
    ),
    "a function that goes": (
        "pipeline.py",
        "def unused(limit=EPOCHS, rate: float = 0.5):\n    return limit\n",
        "",
    ),
    "a class": (
        "training.py",
        "class Model:",
        "class Other(Exception):\n    a = 1\n\nclass Model:",
    ),
    "a method": ("training.py", "class Model:", "class Model:\n    def x(self, a=BATCH): ...\n"),
    "a default beside stages": ("pipeline.py", "limit=EPOCHS", "limit=7"),
    "a constant beside stages": ("pipeline.py", "EPOCHS = 3", "EPOCHS = 4"),
    "what runs as a program": (
        "pipeline.py",
        "    first(EPOCHS)",
        "    first(EPOCHS + 1)\n    second()",
    ),
    "what types need": ("pipeline.py", "from lib import absent", "from lib import nothing"),
    "a text": ("lib/names.py", '"x_"', '"y_"'),
    "an f-string": ("training.py", "BATCH = 32", 'BATCH = 32\nTITLE_OF = f"{BATCH} at once"'),
    "several names at once": ("training.py", "BATCH = 32", "BATCH = SMALL = 32\nA, B = 1, 2"),
    "a docstring of a module": ("training.py", "import math", '"""Trains."""\nimport math'),
    "a field of a data class": ("config.py", "peak: float = 0.5", "peak: float = 0.7"),
    "a new field": ("config.py", "peak: float = 0.5", "first: str\n    peak: float = 0.7"),
    "an option of a data class": ("config.py", "frozen=True", "frozen=True, slots=True"),
    "a new data class": (
        "training.py",
        "class Model:",
        "from dataclasses import dataclass as d\n@d\nclass New:\n    a: int = 1\nclass Model:",
    ),
    "a new property": (
        "training.py",
        "    @property",
        "    @property\n    def more(self): ...\n    @property",
    ),
    "a path": ("pipeline.py", "ROOT = Path(__file__).parent", "ROOT = Path(__file__) / 'x'"),
    "a path of texts": ("pipeline.py", "EPOCHS = 3", 'EPOCHS = 3\nDATA = Path("a", "b") / "c"'),
    "a pattern": ("pipeline.py", 'compile("a+")', 'compile("b+")'),
    "a logger": ("pipeline.py", "EPOCHS = 3", 'EPOCHS = 3\ntold = logging.getLogger("told")'),
    "a lambda": ("training.py", "BATCH = 32", "BATCH = 32\nKEY = lambda x: x + 1"),
}

MATTERING = {
    "a name under another one": ("config.py", 'FOLDER = "made"', 'FOLDER = "done"'),
    "a name that a function reads": ("config.py", '".csv"', '".tsv"'),
    "the default of a function that ran": ("lib/names.py", '"raw_"', '"new_"'),
    "an attribute that is asked for": ("config.py", 'out = "out.csv"', 'out = "out.tsv"'),
    "an instance's": ("config.py", '"source.csv"', '"sources.csv"'),
    "an item": ("pipeline.py", '"heavy": "gpu"', '"heavy": "tpu"'),
    "what a loop goes through": ("config.py", "TARGETS = ()", 'TARGETS = ("a",)'),
    "a folder to run in": ("config.py", 'CWD = "work"', 'CWD = "work/er"'),
    "a version": ("config.py", "VERSION = 3", "VERSION = 4"),
    "code besides": ("config.py", 'SQL = "sql"', 'SQL = "queries"'),
    "what is registered": ("lib/registry.py", '@register("one")', '@register("two")'),
    "whether it is registered": ("lib/registry.py", "COUNT = 2", "COUNT = 0"),
    "one more that is registered": (
        "lib/registry.py",
        '@register("one")',
        '@register("z")\ndef z(): ...\n@register("one")',
    ),
    "where a name binds again": (
        "lib/names.py",
        'FALLBACK = ".txt"',
        'FALLBACK = ".txt"\nSUFFIX = ".x"',
    ),
    "a name that hides a builtin": ("pipeline.py", "EPOCHS = 3", "EPOCHS = 3\nlist = tuple"),
    "a name that hides another": ("config.py", "VERSION = 3", "VERSION = 3\nCWD = 'elsewhere'"),
    "an import that hides": ("pipeline.py", "EPOCHS = 3", "EPOCHS = 3\nimport json as names"),
    "an effect": ("config.py", "VERSION = 3", "VERSION = 3\nTARGETS.__class__"),
    "an import of own code": ("training.py", "import math", "import math\nimport lib.extra"),
    "an import of own code that goes": ("pipeline.py", "import training\n", ""),
    "a constant that is asked for by its name": ("config.py", "MOMENTUM = 0.9\n", ""),
    "a constant that comes too late": (
        "training.py",
        "BATCH = 32\nSTEPS = 10 * BATCH",
        "STEPS = 10 * BATCH\nBATCH = 32",
    ),
    "a constant that can't be made": ("training.py", "10 * BATCH", "10 * BATCH + 'a'"),
    "a division": ("training.py", "10 * BATCH", "10 / (BATCH - 32)"),
    "a name that isn't there": ("training.py", "10 * BATCH", "MISSING"),
    "an import that isn't there": (
        "training.py",
        "import math",
        "import math\nimport absent_thing",
    ),
    "a name that no library has": (
        "training.py",
        "import math",
        "import math\nfrom json import nothing",
    ),
    "an attribute that no library has": ("training.py", "math.pi / 2", "math.nothing"),
    "a decorator": ("training.py", "def train", "@print\ndef train"),
    "a base with hooks": (
        "training.py",
        "class Model:",
        "import enum\nclass E(enum.Enum):\n    a = 1\nclass Model:",
    ),
    "a base that comes later": (
        "training.py",
        "class Model:",
        "class Other(ModelError): ...\nclass Model:",
    ),
    "what is tried": ("training.py", "accelerator = None", "accelerator = 1"),
    "a function of modules": (
        "config.py",
        "VERSION = 3",
        "VERSION = 3\ndef __getattr__(name): return 1",
    ),
    "a call": ("training.py", "BATCH = 32", "BATCH = int(input())"),
    "a condition": (
        "training.py",
        "BATCH = 32",
        "if accelerator:\n    BATCH = 32\nelse:\n    BATCH = 16",
    ),
    "a text that is no number": ("training.py", "BATCH = 32", 'BATCH = "32"\nROUNDED = BATCH - 1'),
    "a pattern that is none": ("pipeline.py", 'compile("a+")', 'compile("b+(")'),
    "a default that fields can't have": ("config.py", "float = 0.5", "list = []"),
    "a field that must come first": (
        "config.py",
        "peak: float = 0.5",
        "peak: float = 0.5\n    late: int",
    ),
    "what a frozen class can't have": (
        "config.py",
        "def __post_init__(self)",
        "def __setattr__(self, a, b)",
    ),
    "no option": ("config.py", "frozen=True", "freezing=True"),
    "a property that can't be abstract": (
        "training.py",
        "    @property",
        "    from abc import abstractmethod\n    @abstractmethod\n    @property",
    ),
    "a path of a number": ("pipeline.py", "Path(__file__).parent", "Path(3)"),
    "what a text has not": ("pipeline.py", "Path(__file__).parent", "__file__.parent"),
    "a logger's level": ("pipeline.py", "logging.INFO", "logging.DEBUG"),
    "a star": ("training.py", "import math", "import math\nfrom math import *"),
    "an annotation that is looked up": ("training.py", "-> list[int]", "-> list[Missing]"),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A project with its definitions, which tests copy."""
    project = Project(tmp_path_factory.mktemp("original"))
    for name, text in SOURCES.items():
        project.write(name, text)
    definitions = project.cached()
    assert definitions.evidence.influence.names is not None
    assert definitions.evidence.executed.keys() == SOURCES.keys()
    return project, definitions


@pytest.fixture
def loaded(project, original):
    shutil.copytree(original[0].root, project.root, dirs_exist_ok=True)
    return original[1]


@pytest.mark.parametrize("what", HARMLESS)
def test_definitions_hold_after_an_edit_that_nothing_declared_depends_on(project, loaded, what):
    project.edit(*HARMLESS[what])
    now = project.revise(loaded)
    assert now is not None
    assert project.holds(now)
    assert now.stages == project.load().stages


@pytest.mark.parametrize("what", MATTERING)
def test_they_are_loaded_anew_after_any_other(project, loaded, what):
    project.edit(*MATTERING[what])
    assert project.revise(loaded) is None


def test_edits_that_are_harmless_can_follow_each_other(project, loaded):
    now, taken = loaded, 0
    for name, old, new in HARMLESS.values():
        text = (project.root / name).read_text()
        if old in text:
            (project.root / name).write_text(text.replace(old, new, 1))
            now = project.revise(now)
            assert now is not None, (name, old, new)
            taken += 1
    assert taken > len(HARMLESS) / 2
    assert now.stages == project.load().stages
