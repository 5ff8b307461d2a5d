"""One large file, incompressible and a table: storing it, and again with one row inserted."""

from pathlib import Path

from benchmarks.content import insert_row, write_incompressible, write_table
from benchmarks.row import Row, Unit
from benchmarks.tally import Tally
from benchmarks.tool import Tool, tools
from benchmarks.workbench import Workbench

REPETITIONS = 3
STORE_RANDOM = "store a large incompressible file"
STORE_TABLE = "store a large table"
STORE_ROW = "store the table with one row inserted"
TIMED = (STORE_RANDOM, STORE_TABLE, STORE_ROW)
TABLE_DISK = "size of the table in the store"
ROW_DISK = "new bytes for the inserted row"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    size = bench.scale.large_size
    files = {name: bench.folder / name for name in ("random", "table", "inserted")}
    write_incompressible(files["random"], size)
    write_table(files["table"], size)
    insert_row(files["table"], files["inserted"])
    tally = Tally()
    for _ in range(min(REPETITIONS, bench.scale.repetitions)):
        for tool in tools(bench):
            with bench.scratch() as folder:
                site = tool.begin(bench, folder)
                site.deliver(files["random"])
                tally.take(bench, tool, STORE_RANDOM, tool.store, site.project)
            with bench.scratch() as folder:
                _table(bench, tally, tool, folder, files)
    return [
        *(tally.time(step) for step in TIMED),
        tally.figure(TABLE_DISK, Unit.PERCENT),
        tally.figure(ROW_DISK, Unit.PERCENT),
        *(tally.memory(step) for step in TIMED),
    ]


def _table(
    bench: Workbench, tally: Tally, tool: Tool, folder: Path, files: dict[str, Path]
) -> None:
    size = bench.scale.large_size
    site = tool.begin(bench, folder)
    site.deliver(files["table"])
    tally.take(bench, tool, STORE_TABLE, tool.store, site.project)
    before = site.stored()
    tally.note(tool, TABLE_DISK, 100 * before / size)
    site.deliver(files["inserted"])
    tally.take(bench, tool, STORE_ROW, tool.renew, site.project)
    tally.note(tool, ROW_DISK, 100 * (site.stored() - before) / size)
