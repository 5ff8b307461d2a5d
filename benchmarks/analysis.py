"""What a plan costs when sources have to be analysed: all of them, or one that was edited."""

from pathlib import Path

from benchmarks.row import Row, at_most
from benchmarks.sources import write_project
from benchmarks.tally import Tally
from benchmarks.tool import PIVOT
from benchmarks.workbench import CommandError, Workbench

NOTHING = "status, nothing changed"
BODY = "status after the body of a function was edited"
CONSTANT = "status after a constant was edited"
IMPORT = "status after an import was added"
# What is replaced in a module, and by what; `{}` makes each edit another one.
EDITS = {
    BODY: ("kept = []\n", "kept = [] if limit else [{}.0]\n"),
    CONSTANT: ("LIMIT = ", "LIMIT = {} + "),
    IMPORT: ("import json\n", "import json\nimport decimal as decimal_{}\n"),
}
# The accelerator: what Pivot remembers of a project, and can find out again.
MEMORY = "state.db"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: Pivot alone, nothing else looks at code."""
    tally = Tally()
    words = (bench.pivot, "status")
    with bench.scratch() as folder:
        project = folder / "project"
        project.mkdir()
        bench.measure(("git", "init", "--quiet"), project)
        modules = write_project(project, bench.scale.modules)
        lines = sum(module.read_text().count("\n") for module in modules)
        for command in ("init", "repro", "status"):
            bench.measure((bench.pivot, command), project)
        cold = f"status, nothing known yet, {lines:,} lines in {len(modules):,} modules"
        for number in range(bench.scale.repetitions):
            _forget(project)
            tally.take(bench, PIVOT, cold, words, project)
            tally.take(bench, PIVOT, NOTHING, words, project)
            for step, (old, new) in EDITS.items():
                module = modules[(7 * number + 3) % len(modules)]
                _edit(module, old, new.format(number + 1))
                tally.take(bench, PIVOT, step, words, project)
    edits = [tally.time(step, at_most(0.3)) for step in EDITS]
    return [tally.time(cold, at_most(3)), tally.time(NOTHING), *edits]


def _forget(project: Path) -> None:
    """Remove the accelerator, of which nothing but time is lost."""
    for path in (project / ".pivot").glob(f"{MEMORY}*"):
        path.unlink()


def _edit(module: Path, old: str, new: str) -> None:
    text = module.read_text()
    edited = text.replace(old, new, 1)
    if edited == text:
        raise CommandError(f"{module} has nothing to edit")
    module.write_text(edited)
