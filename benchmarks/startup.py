"""What a command costs before it does anything: a help page, and a run with nothing to do."""

import shutil

from benchmarks.row import Row, Unit, within
from benchmarks.workbench import CHECKOUT, Sample, Workbench

EXAMPLE = CHECKOUT / "examples" / "wine"
_LEFT_BEHIND = shutil.ignore_patterns("build", ".pivot", "__pycache__", "demo.py", ".ruff_cache")


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark; what they stand beside is a bare interpreter."""
    project = bench.folder / "wine"
    shutil.copytree(EXAMPLE, project, ignore=_LEFT_BEHIND)
    bench.measure(["git", "init", "--quiet"], project)
    bench.measure([bench.pivot, "init"], project)
    bench.measure([bench.pivot, "repro"], project)
    commands = {
        "help": [bench.pivot, "--help"],
        "repro": [bench.pivot, "repro"],
        "status": [bench.pivot, "status"],
        "click": [bench.python, "-c", "import click"],
        "nothing": [bench.python, "-c", "pass"],
    }
    for words in commands.values():  # so that bytecode is there, for each side
        bench.measure(words, project)
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(bench.scale.starts):
        for name, words in commands.items():
            samples[name].append(bench.measure(words, project))
    seconds = {name: tuple(s.seconds for s in taken) for name, taken in samples.items()}
    click, nothing = 'python -c "import click"', "python -c pass"
    return [
        Row("pivot --help", Unit.SECONDS, seconds["help"], click, seconds["click"], within(2.5)),
        Row(
            "pivot repro with nothing to do (examples/wine)",
            Unit.SECONDS,
            seconds["repro"],
            nothing,
            seconds["nothing"],
            within(10),
        ),
        Row(
            "pivot status with nothing to do (examples/wine)",
            Unit.SECONDS,
            seconds["status"],
            nothing,
            seconds["nothing"],
        ),
    ]
