"""One large file, incompressible and a table: storing it, and again with one row inserted."""

from pathlib import Path

from benchmarks.content import insert_row, write_incompressible, write_table
from benchmarks.row import Row, Unit, at_most, faster, within
from benchmarks.tally import Tally
from benchmarks.tool import Tool, tools
from benchmarks.workbench import CHECKOUT, Workbench

REPETITIONS = 3
FLOOR = "cut, hash and write"
STORE_RANDOM = "store a large incompressible file"
STORE_QUARTER = "store a quarter of it"
STORE_DISK = "store a large incompressible file, on a disk"
STORE_TABLE = "store a large table"
STORE_ROW = "store the table with one row inserted"
TIMED = (STORE_RANDOM, STORE_QUARTER, STORE_DISK, STORE_TABLE, STORE_ROW)
TABLE_DISK = "size of the table in the store"
ROW_DISK = "new bytes for the inserted row"
TARGETS = {STORE_RANDOM: faster(1.5), STORE_TABLE: faster(1)}


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    files = _write_files(bench)
    tally = Tally()
    for _ in range(min(REPETITIONS, bench.scale.repetitions)):
        for tool in tools(bench):
            for step, name in ((STORE_RANDOM, "random"), (STORE_QUARTER, "quarter")):
                with bench.scratch() as folder:
                    _store(bench, tally, tool, folder, files[name], step)
            with bench.scratch_on_disk() as folder:
                _store(bench, tally, tool, folder, files["random"], STORE_DISK)
            with bench.scratch() as folder:
                _table(bench, tally, tool, folder, files)
        with bench.scratch() as folder:
            words = (bench.python, "-m", "benchmarks.floor", str(files["random"]))
            tally.take(bench, FLOOR, STORE_RANDOM, (*words, str(folder / "copy")), CHECKOUT)
    return [
        tally.time(STORE_RANDOM, TARGETS[STORE_RANDOM]),
        tally.time(STORE_RANDOM, within(1.5), peer=FLOOR),
        *(tally.time(step, TARGETS.get(step)) for step in TIMED[1:]),
        tally.figure(TABLE_DISK, Unit.PERCENT, within(0.5)),
        tally.figure(ROW_DISK, Unit.PERCENT, at_most(1)),
        *(tally.memory(step) for step in TIMED),
    ]


def _write_files(bench: Workbench) -> dict[str, Path]:
    names = ("random", "quarter", "table", "inserted")
    files = {name: bench.folder / name for name in names}
    write_incompressible(files["random"], bench.scale.large_size)
    write_incompressible(files["quarter"], bench.scale.large_size // 4)
    write_table(files["table"], bench.scale.table_size)
    insert_row(files["table"], files["inserted"])
    return files


def _store(bench: Workbench, tally: Tally, tool: Tool, folder: Path, data: Path, step: str) -> None:
    site = tool.begin(bench, folder)
    site.deliver(data)
    tally.take(bench, tool.name, step, tool.store, site.project)


def _table(
    bench: Workbench, tally: Tally, tool: Tool, folder: Path, files: dict[str, Path]
) -> None:
    size = bench.scale.table_size
    site = tool.begin(bench, folder)
    site.deliver(files["table"])
    tally.take(bench, tool.name, STORE_TABLE, tool.store, site.project)
    before = site.stored()
    tally.note(tool.name, TABLE_DISK, 100 * before / size)
    site.deliver(files["inserted"])
    tally.take(bench, tool.name, STORE_ROW, tool.renew, site.project)
    tally.note(tool.name, ROW_DISK, 100 * (site.stored() - before) / size)
