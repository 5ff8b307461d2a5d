"""Pushing with nothing to do where very many objects are known to both sides, beside few."""

from pathlib import Path

from benchmarks.row import Row, within
from benchmarks.server import remote_url, served
from benchmarks.tally import Tally
from benchmarks.tool import PIVOT, Site, pivot
from benchmarks.workbench import CHECKOUT, Workbench

FEW_OBJECTS = 10
FEW = f"{FEW_OBJECTS} objects"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: Pivot alone, beside itself."""
    known = bench.scale.known
    first, again = f"push {known:,} objects", f"push with nothing to do, of {known:,} objects"
    tally = Tally()
    with served(bench) as service, bench.scratch() as folder:
        sites = {
            PIVOT: _filled(service.bench, folder / "many", known),
            FEW: _filled(service.bench, folder / "few", FEW_OBJECTS),
        }
        for step, repetitions in ((first, 1), (again, bench.scale.repetitions)):
            for _ in range(repetitions):
                for name, site in sites.items():
                    tally.take_counted(service, name, step, site.tool.push, site.project)
    return [
        tally.time(first),
        tally.time(again, within(1.5), peer=FEW),
        tally.requests(first),
        tally.requests(again, 5),
        tally.memory(first, limit=None),
        tally.memory(again),
    ]


def _filled(bench: Workbench, folder: Path, objects: int) -> Site:
    """A project with a tracked directory of so many files, which only its store has."""
    folder.mkdir()
    site = pivot(bench).begin(bench, folder, remote_url(folder.name))
    words = (bench.python, "-m", "benchmarks.filling", str(site.project), str(objects))
    bench.measure(words, CHECKOUT)
    return site
