"""Ten times as many small files: what depends on their number, and that memory doesn't."""

from benchmarks.content import write_many_files
from benchmarks.row import Row, at_most
from benchmarks.tally import Tally
from benchmarks.tool import tools
from benchmarks.workbench import Workbench

STORE = "store the files"
STATUS = "status, nothing changed"
STEPS = (STORE, STATUS)


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: Pivot alone, the peer takes minutes."""
    tool = tools(bench)[0]
    prepared = bench.folder / "many"
    write_many_files(prepared, bench.scale)
    tally = Tally()
    with bench.scratch() as folder:
        site = tool.begin(bench, folder)
        site.deliver(prepared)
        tally.take(bench, tool.name, STORE, tool.store, site.project)
        for _ in range(bench.scale.repetitions):
            tally.take(bench, tool.name, STATUS, tool.status, site.project)
    return [
        tally.time(STORE),
        tally.time(STATUS, at_most(0.6)),
        *(tally.memory(step) for step in STEPS),
    ]
