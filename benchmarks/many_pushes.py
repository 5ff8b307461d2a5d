"""A clone after very many pushes by others: what it asks until it knows what the remote has."""

from benchmarks.row import Row
from benchmarks.server import BUCKET, remote_url, served
from benchmarks.tally import Tally
from benchmarks.tool import pivot
from benchmarks.workbench import CHECKOUT, Workbench


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: Pivot alone."""
    pushes = bench.scale.pushes
    step = f"fetch --dry-run in a clone, after {pushes:,} pushes"
    tally = Tally()
    with bench.scratch() as folder:
        (folder / BUCKET).mkdir()
        site = pivot(bench).begin(bench, folder, remote_url("remote"))
        words = (bench.python, "-m", "benchmarks.pushing", str(site.project))
        bench.measure((*words, str(folder / BUCKET), str(pushes)), CHECKOUT)
        with served(bench, str(folder)) as service:
            words = (bench.pivot, "fetch", "--dry-run")
            tally.take_counted(service, site.tool.name, step, words, site.project)
    return [tally.time(step), tally.requests(step, 40)]
