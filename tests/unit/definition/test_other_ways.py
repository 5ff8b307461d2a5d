"""Edits that change what is declared in ways that don't show in the edited statement."""

import pytest

from pivot.definition.definitions import Definitions
from pivot.errors import DefinitionError
from tests.unit.definition.conftest import Project

PIPELINE = "from pivot import stage\n{}\n@stage(deps=DEPS, outs=['o'])\ndef only(): ...\n"
HELPED = "import helper\nDEPS = ['a']\n"
WARNED = "import warnings\nwarnings.simplefilter('error')\n" + HELPED
BUILTIN = "DEPS = ['a']\ndef other(*_): DEPS.append('b')\n{}\nY = sorted([1])"
HERE = "pipeline.py"


def at_end(text: str) -> tuple[str, str, str]:
    return HERE, "@stage", f"{text}\n@stage"


def in_helper(text: str) -> tuple[str, str, str]:
    return "helper.py", "FIRST = 1\n", f"FIRST = 1\n{text}\n"


# What stands in the pipeline, in other sources; the file that is edited, what, and to what.
CASES: dict[str, tuple[str, dict[str, str], tuple[str, str, str]]] = {
    "a builtin that a loop binds": (
        BUILTIN.format("for sorted in [other]: pass"), {}, (HERE, "Y = sorted([1])", ""),
    ),
    "a builtin that is bound where an import fails": (
        BUILTIN.format("try: from fast import sorted\nexcept ImportError: sorted = other"),
        {}, (HERE, "Y = sorted([1])", ""),
    ),
    "a list that changes while it waits": (
        "DEPS = ['a']\nA = [1]\ndef f(x): x.clear()\nB, C = A, f(A)", {}, at_end("M = max(B)"),
    ),
    "a list within a tuple": (
        "DEPS = ['a']\nA = [1]\nB = A, 2\nA.clear()", {}, at_end("M = max(B[0])"),
    ),
    "a set of what can't be in one": ("DEPS = ['a']", {}, at_end("A = [[1]]\nB = {*A}")),
    "a global that is set by its text": (
        HELPED,
        {"helper.py": "from unittest.mock import patch\nN = 4\npatch('helper.N', 0).start()\n"
                      "FIRST = 1\n"},
        in_helper("M = 10 // N"),
    ),
    "a builtin that is set by a computed name": (
        "import helper\nDEPS = helper.DEPS\nY = sorted([1])",
        {"helper.py": "import builtins\nDEPS = ['a']\nsort = sorted\ndef other(x, **_):\n"
                      "    if x == [1]: DEPS.append('b')\n    return sort(x)\n"
                      "builtins.__setattr__('sor' + str('ted'), other)\n"},
        (HERE, "Y = sorted([1])", ""),
    ),
    "a module that is handed on as an attribute": (
        "import pkg.helper\nDEPS = [('{0.FIR' + str('ST') + '}').format(pkg.helper)]",
        {"pkg/__init__.py": "", "pkg/helper.py": "FIRST = 1\n"}, ("pkg/helper.py", "1", "2"),
    ),
    "a module that a function imports and hands on": (
        "import other\nDEPS = [other.first()]",
        {"helper.py": "FIRST = 1\n", "other.py": "def first():\n    import helper\n"
                      "    return ('{0.FIR' + str('ST') + '}').format(helper)\n"},
        ("helper.py", "1", "2"),
    ),
    "what a text looks up among globals": (
        "def f(): ...\nFIRST = '1'\nDEPS = [('{0.__globals__[FIR' + str('ST') + ']}').format(f)]",
        {}, (HERE, "'1'", "'2'"),
    ),
    "a hook that a class is given": (
        "class A: ...\nDEPS = ['a']\ndef h(_): DEPS.append('b')\nA.__init_subclass__ = h",
        {}, at_end("class B(A): ..."),
    ),
    "a module that is found because another one imports it": (
        "import helper, other\nDEPS = [other.name()]",
        {"helper.py": "from xml.etree.ElementTree import Element\n",
         "other.py": "import xml\ndef name(): return xml.etree.ElementTree.__name__\n"},
        ("helper.py", "from xml.etree.ElementTree import Element", ""),
    ),
    "a library that is given a name": (
        "import graphlib\ngraphlib.extra = 1\nDEPS = ['a']\nX = graphlib.extra", {},
        (HERE, "import graphlib\n", "import graphlib\nX = graphlib.extra\n"),
    ),
    "a constant of a function": (
        "def f(): return 1\nDEPS = [str(f.__code__.co_consts)]", {}, (HERE, "return 1", "return 2"),
    ),
    "the line where code stands": (
        "import sys\nDEPS = [f'{sys._getframe().f_lineno}']",
        {}, (HERE, "import sys", "\nimport sys"),
    ),
    "the line where a class stands": (
        "class A: ...\nDEPS = [str(A.__firstlineno__)]", {}, (HERE, "class A", "\nclass A"),
    ),
    "a source that its loader tells": (
        "DEPS = [str(len(__loader__.get_source(__name__)))]", {}, at_end("# more"),
    ),
    "a warning of the compiler": (WARNED, {"helper.py": "FIRST = 1\n"}, in_helper(r"A = '\d'")),
    "a warning of a pattern": (
        WARNED, {"helper.py": "import re\nFIRST = 1\n"}, in_helper("A = re.compile('[[a]')"),
    ),
    "a warning of an import": (
        WARNED, {"helper.py": "import ast\nFIRST = 1\n"}, in_helper("from ast import Num"),
    ),
    "fields in a wrong order": (
        "from dataclasses import dataclass, field\nDEPS = ['a']", {},
        at_end("@dataclass(kw_only=True)\nclass A:\n    p: int = field(default=1, kw_only=False)\n"
               "    q: int = field(kw_only=False)\n"),
    ),
    "a field that may have no factory": (
        "from dataclasses import dataclass, field\nfrom typing import ClassVar\nDEPS = ['a']", {},
        at_end("@dataclass\nclass A:\n    p: 'ClassVar[list]' = field(default_factory=list)\n"),
    ),
    "a mark that may be there once": (
        "from dataclasses import KW_ONLY, dataclass\nDEPS = ['a']", {},
        at_end("@dataclass\nclass A:\n    a: KW_ONLY\n    b: KW_ONLY\n"),
    ),
    "what only checkers of types see": (
        "import helper, other\nDEPS = other.DEPS",
        {"helper.py": "import typing\ntyping.TYPE_CHECKING = True\n",
         "other.py": "from typing import TYPE_CHECKING\nDEPS = ['a']\n"
                     "if TYPE_CHECKING:\n    DEPS.append('b')\n"},
        ("other.py", "'b'", "'c'"),
    ),
}  # fmt: skip


def outcome(project: Project) -> object:
    try:
        return [(stage.name, stage.deps) for stage in project.load().stages]
    except DefinitionError as error:
        return str(error)


@pytest.mark.parametrize("what", CASES)
def test_definitions_are_loaded_anew(project: Project, what: str) -> None:
    text, others, edit = CASES[what]
    for name, source in others.items():
        project.write(name, source)
    project.write("pipeline.py", PIPELINE.format(text))
    before = outcome(project)
    definitions: Definitions = project.cached()
    assert definitions.evidence.cacheable
    project.edit(*edit)
    assert outcome(project) != before, "the edit changes nothing"
    assert project.revise(definitions) is None


def test_files_that_defaults_of_parameters_read_are_evidence(project: Project) -> None:
    project.write("limit.txt", "1")
    project.write(
        "pipeline.py",
        """
        from pathlib import Path
        from pivot import stage
        from pydantic import BaseModel, Field

        HERE = Path(__file__).parent

        class Params(BaseModel):
            limit: str = Field(default_factory=lambda: (HERE / "limit.txt").read_text())

        @stage(params=Params)
        def only(params): ...
        """,
    )
    definitions = project.cached()
    assert project.holds(definitions)
    project.write("limit.txt", "2")
    assert not project.holds(definitions)
