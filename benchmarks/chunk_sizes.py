"""How large a chunk should be on average: what edits cost against speed and the index's size.

Everything goes through the store itself; only where it cuts differs. The smallest chunk is a
quarter of the average and the largest four times it, as in the format.
"""

import io
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from benchmarks.content import SEED, size_of
from benchmarks.edits import Edit, edits
from benchmarks.grid import Grid
from benchmarks.workbench import Workbench
from pivot.hashing import ObjectId
from pivot.store.chunking import Cutting
from pivot.store.entry import Kind, identify
from pivot.store.split import Form, split
from pivot.store.store import Store
from pivot.transfer.blocks import needed_blocks
from pivot.transfer.ranges import ranges

KIB = 1 << 10
AVERAGES = (32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB)
REPETITIONS = 3
SCATTERED = 1  # the edit whose result is fetched, by its place in `edits`


def run(bench: Workbench) -> Grid:
    """A row for each average size."""
    found = edits(bench.scale.cut_size)
    noise = random.Random(SEED + 8).randbytes(bench.scale.cut_size)
    headings = (
        "average",
        *("table is stored at", "and takes", "entries a GB", "index a GB"),
        "random bytes are stored at",
        *(edit.name for edit in found),
        "requests",
    )
    rows = (
        (
            f"{average // KIB} KiB",
            *_table_costs(bench, average, found[SCATTERED].before),
            f"{_speed(bench, average, noise):.0f} MB/s",
            *(f"{_new(bench, average, edit):.2f} %" for edit in found),
            f"{_requests(bench, average, found[SCATTERED])}",
        )
        for average in AVERAGES
    )
    return Grid(headings, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Held:
    """A store that cuts in its own way, what one version added to it, and in what time."""

    store: Store
    form: Form
    entries: int
    seconds: float


@contextmanager
def _held(bench: Workbench, average: int, data: bytes) -> Iterator[_Held]:
    form = Form(Kind.DATA, None, Cutting(4 * average, average // 4, average, 4 * average))
    with bench.scratch() as folder:
        store = Store.open(str(folder))
        started = time.perf_counter()
        with store.writer() as writer:
            writer.add_stream(io.BytesIO(data), form)
        seconds = time.perf_counter() - started
        yield _Held(store, form, writer.added_entries, seconds)


def _speed(bench: Workbench, average: int, data: bytes) -> float:
    """Of the store's writer, in MB/s."""
    taken = []
    for _ in range(min(REPETITIONS, bench.scale.repetitions)):
        with _held(bench, average, data) as held:
            taken.append(held.seconds)
    return len(data) / median(taken) / 1e6


def _table_costs(bench: Workbench, average: int, data: bytes) -> tuple[str, ...]:
    speed = _speed(bench, average, data)
    with _held(bench, average, data) as held:
        stored = size_of(Path(held.store.root))[1]
        index = size_of(Path(held.store.root) / "index")[1]
    return (
        f"{speed:.0f} MB/s",
        f"{100 * stored / len(data):.1f} %",
        f"{held.entries * 1e9 / len(data):,.0f}",
        f"{index * 1e9 / len(data) / 1e3:,.0f} kB",
    )


def _new(bench: Workbench, average: int, edit: Edit) -> float:
    """The bytes that storing an edited file adds, before compressing, in percent of it."""
    with _held(bench, average, edit.before) as held:
        return mean(_share_new(held, after) for after in edit.versions())


def _share_new(held: _Held, after: bytes) -> float:
    new: dict[ObjectId, int] = {}

    def put(data: bytes, kind: Kind) -> ObjectId:
        id_ = identify(data, kind)
        if not held.store.has(id_):
            new[id_] = len(data)
        return id_

    split(io.BytesIO(after), put, held.form)
    return 100 * sum(new.values()) / len(after)


def _requests(bench: Workbench, average: int, edit: Edit) -> int:
    """Ranges to ask for when the edited file is fetched from a store that has both versions."""
    with _held(bench, average, edit.before) as held:
        with held.store.writer() as writer:
            added = writer.add_stream(io.BytesIO(next(edit.versions())), held.form)
        assert added.recipe is not None, "large files are cut"
        places = {id_: held.store.find(id_) for id_, _ in held.store.recipe(added.recipe).chunks}
        blocks = needed_blocks((id_, place) for id_, place in places.items() if place is not None)
        packs = {block.place.pack for block in blocks}
        return sum(
            len(list(ranges([block for block in blocks if block.place.pack == pack])))
            for pack in packs
        )
