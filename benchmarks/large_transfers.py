"""One large incompressible file to S3 and back, beside DVC and beside copying it plainly."""

from pathlib import Path

from benchmarks.content import expect_same, write_incompressible
from benchmarks.row import Row, faster, within
from benchmarks.server import Service, remote_url, served
from benchmarks.small_transfers import MEMORY_MB
from benchmarks.tally import Tally
from benchmarks.tool import Tool, tools
from benchmarks.workbench import Workbench

REPETITIONS = 3
COPY = "aws s3 cp"
PUSH = "push a large file"
PULL = "pull it into a fresh clone, file in place"
STEPS = (PUSH, PULL)


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    prepared = bench.folder / "transferred-large"
    write_incompressible(prepared, bench.scale.large_size)
    tally = Tally()
    for _ in range(min(REPETITIONS, bench.scale.repetitions)):
        for tool in tools(bench):
            # A new server each time, since it keeps what it got in memory.
            with served(bench) as service, bench.scratch() as folder:
                _whole_way(service, tally, tool, folder, prepared)
        if bench.aws is not None:
            with served(bench) as service, bench.scratch() as folder:
                _copy(service, tally, bench.aws, folder, prepared)
    return [
        *(tally.time(step, faster(1)) for step in STEPS),
        *(tally.time(step, within(1.2), peer=COPY) for step in STEPS),
        *(tally.requests(step) for step in STEPS),
        *(tally.memory(step, limit=MEMORY_MB) for step in STEPS),
    ]


def _whole_way(service: Service, tally: Tally, tool: Tool, folder: Path, prepared: Path) -> None:
    """One repetition: a new project, its remote, and a clone."""
    bench = service.bench
    site = tool.begin(bench, folder, remote_url(tool.name))
    site.deliver(prepared)
    bench.measure(tool.store, site.project)
    site.take_away()
    tally.take_counted(service, tool.name, PUSH, tool.push, site.project)
    clone = site.clone(bench)
    tally.take_counted(service, tool.name, PULL, tool.pull, clone)
    expect_same(prepared, clone / "data")


def _copy(service: Service, tally: Tally, aws: str, folder: Path, prepared: Path) -> None:
    url, target = remote_url("copy"), folder / "copy"
    copy = (aws, "s3", "cp", "--only-show-errors")
    tally.take_counted(service, COPY, PUSH, (*copy, str(prepared), url), folder)
    tally.take_counted(service, COPY, PULL, (*copy, url, str(target)), folder)
    expect_same(prepared, target)
