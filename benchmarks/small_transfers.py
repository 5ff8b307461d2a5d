"""Ten thousand small files to S3 and back: pushing, pushing again, pushing an edit, pulling."""

from pathlib import Path

from benchmarks.content import expect_same, write_small_files
from benchmarks.row import Row, Unit, at_most, faster
from benchmarks.server import Service, remote_url, served
from benchmarks.tally import Tally
from benchmarks.tool import PEER, Site, Tool, tools
from benchmarks.workbench import Workbench

PUSH = "push the files"
AGAIN = "push with nothing to do"
EDIT = "push after one of the files changed"
PULL = "pull into a fresh clone, files in place"
STEPS = (PUSH, AGAIN, EDIT, PULL)
TARGETS = {PUSH: faster(40), AGAIN: faster(5), PULL: faster(20)}
REQUESTS = {PUSH: 12, AGAIN: 5, EDIT: 4, PULL: 12}
EDIT_BYTES = "sent after one of the files changed"
MEMORY_MB = 400.0


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    prepared = bench.folder / "transferred"
    size = write_small_files(prepared, bench.scale)
    tally = Tally()
    with served(bench) as service:
        for repetition in range(bench.scale.repetitions):
            for tool in tools(service.bench):
                if tool.name == PEER and repetition >= bench.scale.slow_repetitions:
                    continue
                with bench.scratch() as folder:
                    _whole_way(service, tally, tool, folder, prepared, size)
    return [
        *(tally.time(step, TARGETS.get(step)) for step in STEPS),
        *(tally.requests(step, REQUESTS[step]) for step in STEPS),
        tally.figure(EDIT_BYTES, Unit.PERCENT, at_most(1)),
        *(tally.memory(step, limit=MEMORY_MB) for step in STEPS),
    ]


def _whole_way(
    service: Service, tally: Tally, tool: Tool, folder: Path, prepared: Path, size: int
) -> None:
    """One repetition: a new project, its remote, and a clone."""
    bench, words = service.bench, tool.push
    site = tool.begin(bench, folder, remote_url(f"{tool.name}-{folder.name}"))
    site.deliver(prepared)
    bench.measure(tool.store, site.project)
    for step in (PUSH, AGAIN):
        tally.take_counted(service, tool.name, step, words, site.project)
    clone = site.clone(bench)
    tally.take_counted(service, tool.name, PULL, tool.pull, clone)
    expect_same(prepared, clone / "data")
    _edit(site)
    bench.measure(tool.renew, site.project)
    counts = tally.take_counted(service, tool.name, EDIT, words, site.project)
    tally.note(tool.name, EDIT_BYTES, 100 * counts.received / size)


def _edit(site: Site) -> None:
    """Change one file, in its middle."""
    path = site.project / "data" / "000" / "00050"
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[: len(data) // 2] + b"edited" + data[len(data) // 2 + 6 :])
