"""What `repro` and `status` cost when there is nothing to do, by the number of stages."""

from dataclasses import replace
from pathlib import Path

from benchmarks.pipeline import Step, make_outs, steps, write_data, write_dvc_yaml, write_stages
from benchmarks.row import Row, at_most, faster
from benchmarks.tally import Tally
from benchmarks.tool import PEER, PIVOT
from benchmarks.workbench import Workbench

OUTS = 3
COMMANDS = ("repro", "status")


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: both tools on a graph, then Pivot on one five times as large."""
    scale, tally = bench.scale, Tally()
    with bench.scratch() as folder:
        graph = list(steps(scale.stages, OUTS))
        sites = {PIVOT: _pivot(bench, folder, graph)}
        if bench.dvc is not None:
            sites[PEER] = _dvc(bench, folder, graph, bench.dvc)
        _measure(bench, tally, sites, scale.stages)
    with bench.scratch() as folder:
        graph = list(steps(scale.many_stages, OUTS))
        _measure(bench, tally, {PIVOT: _pivot(bench, folder, graph)}, scale.many_stages)
    few = [tally.time(_step(command, scale.stages), faster(8)) for command in COMMANDS]
    many = [tally.time(_step(command, scale.many_stages), at_most(0.6)) for command in COMMANDS]
    return [*few, *(_alone(row, 0.2) for row in few), *many]


def _alone(row: Row, seconds: float) -> Row:
    """The same samples against a time instead of the peer."""
    return replace(row, name=f"{row.name}, alone", peer="", theirs=(), target=at_most(seconds))


def _step(command: str, stages: int) -> str:
    return f"{command} with nothing to do, {stages:,} stages, {stages * OUTS:,} artifacts"


def _measure(bench: Workbench, tally: Tally, sites: dict[str, Path], stages: int) -> None:
    """Samples of each command, the tools taking turns; the first ones leave bytecode, and no more.

    Whatever a command has to keep of a first run it has kept then.
    """
    programs = {PIVOT: bench.pivot, PEER: bench.dvc or ""}
    warm = Tally()
    for number in range(bench.scale.repetitions + 2):
        for command in COMMANDS:
            for tool, project in sites.items():
                words = (programs[tool], command)
                (warm if number < 2 else tally).take(
                    bench, tool, _step(command, stages), words, project
                )


def _pivot(bench: Workbench, folder: Path, graph: list[Step]) -> Path:
    """A project all of whose stages ran."""
    project = _begun(bench, folder / "pivot", graph)
    for words in ((bench.pivot, "init"), (bench.pivot, "repro")):
        bench.measure(words, project)
    return project


def _dvc(bench: Workbench, folder: Path, graph: list[Step], dvc: str) -> Path:
    """The peer's, which took what its stages would write as it is."""
    project = _begun(bench, folder / "dvc", graph)
    write_dvc_yaml(project, graph)
    make_outs(project, graph)
    setting = (dvc, "config", "core.check_update", "false")
    for words in ((dvc, "init", "--quiet"), setting, (dvc, "commit", "--force", "--quiet")):
        bench.measure(words, project)
    return project


def _begun(bench: Workbench, project: Path, graph: list[Step]) -> Path:
    project.mkdir()
    bench.measure(("git", "init", "--quiet"), project)
    write_data(project, graph)
    write_stages(project, graph)
    return project
