"""Small files to S3 and back where each answer takes a while to begin."""

from pathlib import Path

from benchmarks.content import expect_same, write_small_files
from benchmarks.row import Row, Unit, within
from benchmarks.server import Service, remote_url, served
from benchmarks.tally import Tally
from benchmarks.tool import Tool, pivot
from benchmarks.workbench import Workbench

REPETITIONS = 3
SECONDS = 0.1
ROUND_TRIPS = 10
PUSH = "push the files"
PULL = "pull into a fresh clone, files in place"
NEAR, FAR = "no latency", "100 ms of latency"
ALLOWED = f"twice as long as without, and {ROUND_TRIPS} round trips"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: Pivot alone, a peer with a request a file takes long."""
    prepared = bench.folder / "far"
    write_small_files(prepared, bench.scale)
    tally = Tally()
    with served(bench) as service:
        tool = pivot(service.bench)
        for _ in range(min(REPETITIONS, bench.scale.repetitions)):
            for distance, seconds in ((NEAR, 0.0), (FAR, SECONDS)):
                with bench.scratch() as folder:
                    _there_and_back(service, tally, tool, folder, prepared, (distance, seconds))
    return [beside_without(tally, step) for step in (PUSH, PULL)]


def _there_and_back(
    service: Service,
    tally: Tally,
    tool: Tool,
    folder: Path,
    prepared: Path,
    distance: tuple[str, float],
) -> None:
    bench, (name, seconds) = service.bench, distance
    site = tool.begin(bench, folder, remote_url(folder.name))
    site.deliver(prepared)
    bench.measure(tool.store, site.project)
    clone = site.clone(bench)
    service.delay(seconds)
    tally.take(bench, name, PUSH, tool.push, site.project)
    tally.take(bench, name, PULL, tool.pull, clone)
    service.delay(0)
    expect_same(prepared, clone / "data")


def beside_without(tally: Tally, step: str) -> Row:
    """The times with latency, beside what those without it allow."""
    near = [sample.seconds for sample in tally.samples[NEAR, step]]
    far = [sample.seconds for sample in tally.samples[FAR, step]]
    allowed = tuple(2 * seconds + ROUND_TRIPS * SECONDS for seconds in near)
    return Row(f"{step}, {FAR}", Unit.SECONDS, tuple(far), ALLOWED, allowed, within(1))
