"""Small files to S3 and back where each answer takes a while to begin."""

from dataclasses import replace
from pathlib import Path

from benchmarks.content import expect_same, write_small_files
from benchmarks.row import Row, Unit, within
from benchmarks.server import Service, remote_url, served
from benchmarks.tally import Tally
from benchmarks.tool import Tool, pivot, tools
from benchmarks.workbench import Workbench

REPETITIONS = 3
SECONDS = 0.1
FEWER = 10
ROUND_TRIPS = 10
PUSH = "push the files"
PULL = "pull into a fresh clone, files in place"
NEAR, FAR = "no latency", "100 ms of latency"
ALLOWED = f"twice as long as without, and {ROUND_TRIPS} round trips"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark: beside itself, and with a tenth of the files beside the peer."""
    prepared, some = bench.folder / "far", bench.folder / "far-some"
    write_small_files(prepared, bench.scale)
    fewer = replace(bench.scale, files=bench.scale.files // FEWER)
    write_small_files(some, fewer)
    tally = Tally()
    with served(bench) as service:
        tool = pivot(service.bench)
        for _ in range(min(REPETITIONS, bench.scale.repetitions)):
            for distance, seconds in ((NEAR, 0.0), (FAR, SECONDS)):
                with bench.scratch() as folder:
                    _there_and_back(service, tally, tool, folder, prepared, (distance, seconds))
            for each in tools(service.bench):
                with bench.scratch() as folder:
                    _there_and_back(service, tally, each, folder, some, (each.name, SECONDS))
    return [
        *(beside_without(tally, step) for step in (PUSH, PULL)),
        *(_beside_peer(tally, step, fewer.files) for step in (PUSH, PULL)),
    ]


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


def _beside_peer(tally: Tally, step: str, files: int) -> Row:
    """The times with latency of fewer files, since the peer's requests are one a file or more."""
    row = tally.time(step)
    return replace(row, name=f"{step}, {FAR}, {files:,} files")
