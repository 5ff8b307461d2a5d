"""Ten thousand small files: storing, checking, restoring, pushing, pulling into a clone."""

from pathlib import Path

from benchmarks.content import expect_same, size_of, write_small_files
from benchmarks.row import Row, Unit, faster, within
from benchmarks.tally import Tally
from benchmarks.tool import Tool, by_stage, tools
from benchmarks.workbench import Workbench

COPY = "cp -r"
STORE = "store the files"
STORE_DISK = "store the files, on a disk"
STORE_ONE = "store one file: what a command costs"
AGAIN = "store them again, nothing changed"
STATUS = "status, nothing changed"
CHECKOUT = "check them out"
PUSH = "push to a folder"
PUSH_AGAIN = "push again, nothing to do"
PULL = "pull into a fresh clone"
TIMED = (STORE, STORE_DISK, STORE_ONE, AGAIN, STATUS, CHECKOUT, PUSH, PUSH_AGAIN, PULL)
DISK = "their size in the store"
REMOTE_FILES = "files in the remote"
TARGETS = {STORE: faster(4), STATUS: faster(4), CHECKOUT: faster(3), PUSH: faster(5)}


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    prepared = bench.folder / "small"
    size = write_small_files(prepared, bench.scale)
    single = bench.folder / "single"
    single.mkdir()
    (single / "only").write_bytes(b"only")
    staged = by_stage(bench)
    tally = Tally()
    for _ in range(bench.scale.repetitions):
        for tool in tools(bench):
            with bench.scratch() as folder:
                _whole_way(bench, tally, tool, folder, prepared, size)
            with bench.scratch() as folder:
                _store(bench, tally, tool, folder, single, STORE_ONE)
            with bench.scratch_on_disk() as folder:
                _store(bench, tally, tool, folder, prepared, STORE_DISK)
        with bench.scratch() as folder:
            _store(bench, tally, staged, folder, prepared, STORE)
        with bench.scratch() as folder:
            tally.take(bench, COPY, CHECKOUT, ("cp", "-r", str(prepared), "data"), folder)
    return [
        tally.time(STORE, TARGETS[STORE]),
        tally.time(STORE, tool=staged.name),
        *(tally.time(step, TARGETS.get(step)) for step in TIMED[1:6]),
        tally.time(CHECKOUT, within(2), peer=COPY),
        *(tally.time(step, TARGETS.get(step)) for step in TIMED[6:]),
        tally.figure(DISK, Unit.PERCENT),
        tally.figure(REMOTE_FILES, Unit.FILES),
        *(tally.memory(step) for step in TIMED),
    ]


def _store(bench: Workbench, tally: Tally, tool: Tool, folder: Path, data: Path, step: str) -> None:
    site = tool.begin(bench, folder)
    site.deliver(data)
    tally.take(bench, tool.name, step, tool.store, site.project)


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
        tally.take(bench, tool.name, step, words, site.project)
    tally.note(tool.name, DISK, 100 * site.stored() / size)
    tally.note(tool.name, REMOTE_FILES, size_of(site.remote)[0])
    data = site.take_away()
    tally.take(bench, tool.name, CHECKOUT, tool.checkout, site.project)
    expect_same(prepared, data)
    clone = site.clone(bench)
    tally.take(bench, tool.name, PULL, tool.pull, clone)
    expect_same(prepared, clone / "data")
