"""What a run of many small stages costs: nearly all of it is what a tool adds to each of them."""

from pathlib import Path

from benchmarks.pipeline import Step, steps, write_data, write_dvc_yaml, write_main, write_stages
from benchmarks.row import Row
from benchmarks.sources import AREA, STAGES_OF_AREA, write_project
from benchmarks.tally import Tally
from benchmarks.tool import PEER, PIVOT
from benchmarks.workbench import Workbench

OUTS = 3


def run(bench: Workbench) -> list[Row]:
    """The rows: both tools on a graph, then Pivot where there are many modules beside."""
    scale, tally = bench.scale, Tally()
    step = f"repro that runs all of {scale.run_stages:,} stages"
    with bench.scratch() as folder:
        graph = list(steps(scale.run_stages, OUTS))
        sites = {PIVOT: _pivot(bench, folder, graph)}
        if bench.dvc is not None:
            sites[PEER] = _dvc(bench, folder, graph, bench.dvc)
        _measure(bench, tally, sites, step)
    stages = scale.modules // AREA * STAGES_OF_AREA
    many = f"repro that runs all of {stages:,} stages, in a project of {scale.modules:,} modules"
    with bench.scratch() as folder:
        project = folder / "pivot"
        _begin(bench, project)
        write_project(project, scale.modules)
        bench.measure((bench.pivot, "init"), project)
        _measure(bench, tally, {PIVOT: project}, many)
    return [tally.time(step), tally.time(many)]


def _measure(bench: Workbench, tally: Tally, sites: dict[str, Path], step: str) -> None:
    """Samples of both tools in turn; before them a run that leaves bytecode and analysed code."""
    programs = {PIVOT: bench.pivot, PEER: bench.dvc or ""}
    warm = Tally()
    for number in range(bench.scale.slow_repetitions + 1):
        for tool, project in sites.items():
            words = (programs[tool], "repro", "--force")
            (tally if number else warm).take(bench, tool, step, words, project)


def _pivot(bench: Workbench, folder: Path, graph: list[Step]) -> Path:
    project = _begun(bench, folder / "pivot", graph)
    bench.measure((bench.pivot, "init"), project)
    return project


def _dvc(bench: Workbench, folder: Path, graph: list[Step], dvc: str) -> Path:
    """The peer's, whose commands each call the same function in an interpreter of their own."""
    project = _begun(bench, folder / "dvc", graph)
    write_main(project)
    write_dvc_yaml(project, graph)
    setting = (dvc, "config", "core.check_update", "false")
    for words in ((dvc, "init", "--quiet"), setting):
        bench.measure(words, project)
    return project


def _begun(bench: Workbench, project: Path, graph: list[Step]) -> Path:
    _begin(bench, project)
    write_data(project, graph)
    write_stages(project, graph)
    return project


def _begin(bench: Workbench, project: Path) -> None:
    project.mkdir()
    bench.measure(("git", "init", "--quiet"), project)
