"""Ten thousand small files: storing, checking, pushing to a folder, pulling into a clone."""

from pathlib import Path

from benchmarks.content import size_of, write_small_files
from benchmarks.row import Row, Unit, faster
from benchmarks.tally import Tally
from benchmarks.tool import Tool, tools
from benchmarks.workbench import CommandError, Workbench

STORE = "store the files"
STORE_ONE = "store one file: what a stage and a process cost"
AGAIN = "store them again, nothing changed"
STATUS = "status, nothing changed"
PUSH = "push to a folder"
PUSH_AGAIN = "push again, nothing to do"
PULL = "pull into a fresh clone"
TIMED = (STORE, STORE_ONE, AGAIN, STATUS, PUSH, PUSH_AGAIN, PULL)
DISK = "their size in the store"
REMOTE_FILES = "files in the remote"
TARGETS = {STORE: faster(3), PUSH: faster(5)}


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    prepared = bench.folder / "small"
    size = write_small_files(prepared, bench.scale)
    single = bench.folder / "single"
    single.mkdir()
    (single / "only").write_bytes(b"only")
    tally = Tally()
    for _ in range(bench.scale.repetitions):
        for tool in tools(bench):
            with bench.scratch() as folder:
                _whole_way(bench, tally, tool, folder, prepared, size)
            with bench.scratch() as folder:
                site = tool.begin(bench, folder)
                site.deliver(single)
                tally.take(bench, tool, STORE_ONE, tool.store, site.project)
    return [
        *(tally.time(step, TARGETS.get(step)) for step in TIMED),
        tally.figure(DISK, Unit.PERCENT),
        tally.figure(REMOTE_FILES, Unit.FILES),
        *(tally.memory(step) for step in TIMED),
    ]


def _whole_way(
    bench: Workbench, tally: Tally, tool: Tool, folder: Path, prepared: Path, size: int
) -> None:
    """One repetition: a new project, its remote, and a clone."""
    site = tool.begin(bench, folder)
    site.deliver(prepared)
    for step, words in (
        (STORE, tool.store),
        (AGAIN, tool.again),
        (STATUS, tool.status),
        (PUSH, tool.push),
        (PUSH_AGAIN, tool.push),
    ):
        tally.take(bench, tool, step, words, site.project)
    tally.note(tool, DISK, 100 * site.stored() / size)
    tally.note(tool, REMOTE_FILES, size_of(site.remote)[0])
    clone = site.clone(bench)
    tally.take(bench, tool, PULL, tool.pull, clone)
    _expect_same(prepared, clone / "data")


def _expect_same(wanted: Path, found: Path) -> None:
    """A fast command that did nothing must not count."""
    if size_of(wanted) != size_of(found):
        raise CommandError(f"{found} has {size_of(found)}, not {size_of(wanted)} files and bytes")
