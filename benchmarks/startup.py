"""What a command costs before it does anything: a help page, and a run with nothing to do."""

import shutil
from pathlib import Path

from benchmarks.row import Row, Unit, within
from benchmarks.workbench import CHECKOUT, Workbench

EXAMPLE = CHECKOUT / "examples" / "wine"
_LEFT_BEHIND = shutil.ignore_patterns("build", ".pivot", "__pycache__", "demo.py", ".ruff_cache")


CLICK, NOTHING = 'python -c "import click"', "python -c pass"
HELP = "pivot --help"
REPRO = "pivot repro with nothing to do (examples/wine)"
STATUS = "pivot status with nothing to do (examples/wine)"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark; what they stand beside is a bare interpreter."""
    seconds = _measured(bench, _project(bench))
    return [
        Row(HELP, Unit.SECONDS, seconds[HELP], CLICK, seconds[CLICK], within(2.5)),
        Row(REPRO, Unit.SECONDS, seconds[REPRO], NOTHING, seconds[NOTHING], within(10)),
        Row(STATUS, Unit.SECONDS, seconds[STATUS], NOTHING, seconds[NOTHING]),
    ]


def _project(bench: Workbench) -> Path:
    """The example, all of whose stages ran."""
    project = bench.folder / "wine"
    shutil.copytree(EXAMPLE, project, ignore=_LEFT_BEHIND)
    for words in (("git", "init", "--quiet"), (bench.pivot, "init"), (bench.pivot, "repro")):
        bench.measure(words, project)
    return project


def _measured(bench: Workbench, project: Path) -> dict[str, tuple[float, ...]]:
    """Wall times of each command; they take turns."""
    commands = {
        HELP: (bench.pivot, "--help"),
        REPRO: (bench.pivot, "repro"),
        STATUS: (bench.pivot, "status"),
        CLICK: (bench.python, "-c", "import click"),
        NOTHING: (bench.python, "-c", "pass"),
    }
    for words in commands.values():  # so that bytecode is there, for each side
        bench.measure(words, project)
    rounds = [
        {name: bench.measure(words, project).seconds for name, words in commands.items()}
        for _ in range(bench.scale.starts)
    ]
    return {name: tuple(taken[name] for taken in rounds) for name in commands}
