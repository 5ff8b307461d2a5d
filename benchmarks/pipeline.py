"""The same graph of stages for Pivot and for its peer, in a project that imports pandas.

Stages stand in lines of five: the first reads a table, each other one what the one before it wrote.
They copy text; what they compute takes no part in what is measured.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINE = 5
IN_MODULE = 20
TABLE = "name,value\none,1\ntwo,2\n"
CODE = ("shared/tables.py", "stages/part_0000.py")

_HELPERS = '''\
"""What the stages share."""

import pandas as pd

COLUMNS = ("name", "value")


def load(path: str) -> str:
    with open(path) as file:
        return file.read()


def save(text: str, *paths: str) -> None:
    for path in paths:
        with open(path, "w") as file:
            file.write(text)


def as_frame(text: str) -> pd.DataFrame:
    rows = [line.split(",") for line in text.splitlines()]
    return pd.DataFrame(rows[1:], columns=list(COLUMNS))


def check(text: str) -> str:
    if as_frame(text).empty:
        raise ValueError("not a table of names and values")
    return text
'''
_HEAD = '''\
"""Stages {first} and those that follow."""

import pandas as pd

from pivot import stage
from shared import tables


def describe(frame: pd.DataFrame) -> str:
    return str(frame.describe())
'''
_STAGE = """

@stage(deps=[{dep!r}], outs={outs!r})
def {name}() -> None:
    tables.save(tables.check(tables.load({dep!r})) + {line!r}, *{outs!r})
"""


_MAIN = f"""\
import sys
from importlib import import_module

name = sys.argv[1]
number = int(name.removeprefix("make_"))
module = import_module(f"stages.part_{{number // {IN_MODULE} * {IN_MODULE}:04}}")
getattr(module, name)()
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage: what it reads, and the files that it writes."""

    name: str
    dep: str
    outs: tuple[str, ...]


def steps(count: int, outs: int) -> Iterator[Step]:
    """So many stages, with so many outs each."""
    for number in range(count):
        is_first = number % LINE == 0
        dep = f"raw/{number // LINE:04}.csv" if is_first else f"made/{number - 1:04}-0.csv"
        made = tuple(f"made/{number:04}-{out}.csv" for out in range(outs))
        yield Step(f"make_{number:04}", dep, made)


def write_data(project: Path, graph: list[Step]) -> None:
    """The tables that nothing makes."""
    for step in graph:
        if step.dep.startswith("raw/"):
            (project / step.dep).parent.mkdir(exist_ok=True)
            (project / step.dep).write_text(TABLE)


def write_stages(project: Path, graph: list[Step]) -> None:
    """Pivot's form: decorated functions, in modules of twenty."""
    (project / "made").mkdir()
    for folder, name, text in (("shared", "tables", _HELPERS), ("stages", "__init__", "")):
        (project / folder).mkdir()
        (project / folder / f"{name}.py").write_text(text)
    names = []
    for first in range(0, len(graph), IN_MODULE):
        parts = [_HEAD.format(first=first)]
        for step in graph[first : first + IN_MODULE]:
            row = {"name": step.name, "dep": step.dep, "outs": list(step.outs)}
            parts.append(_STAGE.format(**row, line=f"{step.name},3\n"))
        names.append(f"part_{first:04}")
        (project / "stages" / f"{names[-1]}.py").write_text("".join(parts))
    imports = "".join(f"import stages.{name}\n" for name in names)
    (project / "pipeline.py").write_text(imports)


def write_dvc_yaml(project: Path, graph: list[Step]) -> None:
    """The peer's form: the same deps and outs. JSON is YAML; `write_main` makes commands work."""
    stages = {
        step.name: {
            "cmd": f"{sys.executable} -m stages {step.name}",
            "deps": [step.dep, *CODE],
            "outs": step.outs,
        }
        for step in graph
    }
    (project / "dvc.yaml").write_text(json.dumps({"stages": stages}, indent=1))


def write_main(project: Path) -> None:
    """A program that calls the function of one stage, as `write_stages` has it."""
    (project / "stages" / "__main__.py").write_text(_MAIN)


def make_outs(project: Path, graph: list[Step]) -> None:
    """What the stages write, for a peer that takes it as it is."""
    text = {}
    for step in graph:
        text[step.outs[0]] = text.get(step.dep, TABLE) + f"{step.name},3\n"
        for out in step.outs:
            (project / out).write_text(text[step.outs[0]])
