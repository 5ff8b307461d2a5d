"""Ten thousand texts: storing them, and what they take in the store."""

from pathlib import Path

import zstandard

from benchmarks.content import write_texts
from benchmarks.row import Row, Unit, at_most, faster
from benchmarks.tally import Tally
from benchmarks.tool import tools
from benchmarks.workbench import Workbench

REPETITIONS = 3
ALONE = "zstd -1, each alone"
STORE = "store the texts"
DISK = "their size in the store"


def run(bench: Workbench) -> list[Row]:
    """The rows of this benchmark."""
    prepared = bench.folder / "texts"
    size = write_texts(prepared, bench.scale)
    tally = Tally()
    tally.note(ALONE, DISK, 100 * _alone(prepared) / size)
    for _ in range(min(REPETITIONS, bench.scale.repetitions)):
        for tool in tools(bench):
            with bench.scratch() as folder:
                site = tool.begin(bench, folder)
                site.deliver(prepared)
                tally.take(bench, tool.name, STORE, tool.store, site.project)
                tally.note(tool.name, DISK, 100 * site.stored() / size)
    return [
        tally.time(STORE, faster(4)),
        tally.figure(DISK, Unit.PERCENT, at_most(45)),
        tally.figure(DISK, Unit.PERCENT, peer=ALONE),
        tally.memory(STORE),
    ]


def _alone(folder: Path) -> int:
    """Bytes of all files, each compressed for itself and nothing kept beside it."""
    compressor = zstandard.ZstdCompressor(level=1)
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(len(compressor.compress(path.read_bytes())) for path in files)
