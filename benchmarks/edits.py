"""A large table and a binary columnar file, and what people do to them. All from a fixed seed."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched

from benchmarks.content import INSERTED, SEED, table

# Values of a column that are encoded together, as in a data page of Parquet: half a megabyte raw.
PAGE = 65_536
COLUMNS = 4
SCATTERED = 100
PIECE = 1 << 20

# Where a single row goes decides which chunk it hits, small or large: several places are tried.
PLACES = 8


@dataclass(frozen=True, slots=True)
class Edit:
    """Something done to a file: its name, the file before, and versions that it may leave."""

    name: str
    before: bytes
    versions: Callable[[], Iterator[bytes]]


def edits(size: int) -> list[Edit]:
    """Edits of a CSV file of `size` bytes, and of a columnar file of `size` bytes of numbers."""
    source = random.Random(SEED + 5)
    rows = b"".join(table(source, min(PIECE, size - at)) for at in range(0, size, PIECE))
    rows = rows[: rows.rindex(b"\n") + 1]
    values = size // (8 * COLUMNS)
    columns = [_column(random.Random(SEED + 7 + n), values) for n in range(COLUMNS)]
    return [
        Edit("one row inserted", rows, lambda: _insert(rows)),
        Edit("100 rows edited", rows, lambda: _scatter(rows)),
        Edit("1 % appended", rows, lambda: _append(rows)),
        Edit("sorted anew", rows, lambda: _sort(rows)),
        Edit("5 rows of columns edited", _encode(columns), lambda: _edit_columns(columns)),
    ]


def _insert(before: bytes) -> Iterator[bytes]:
    source = random.Random(SEED + 6)
    for _ in range(PLACES):
        at = before.index(b"\n", source.randrange(len(before) - PIECE)) + 1
        yield before[:at] + INSERTED + before[at:]


def _append(before: bytes) -> Iterator[bytes]:
    yield before + table(random.Random(SEED + 6), len(before) // 100)


def _sort(before: bytes) -> Iterator[bytes]:
    yield b"".join(sorted(before.splitlines(keepends=True), key=_second))


def _edit_columns(columns: list[list[int]]) -> Iterator[bytes]:
    source = random.Random(SEED + 6)
    fresh = [list(column) for column in columns]
    for _ in range(5):
        at = source.randrange(len(fresh[0]))
        for column in fresh:
            column[at] += 1
    yield _encode(fresh)


def _scatter(before: bytes) -> Iterator[bytes]:
    """One digit changed at each of a hundred places."""
    source = random.Random(SEED + 6)
    after = bytearray(before)
    for _ in range(SCATTERED):
        at = source.randrange(len(after))
        while not 0x30 <= after[at] <= 0x39:
            at = (at + 1) % len(after)
        after[at] = 0x30 + (after[at] - 0x30 + 1) % 10
    yield bytes(after)


def _second(row: bytes) -> bytes:
    return row.split(b",")[1]


def _column(source: random.Random, rows: int) -> list[int]:
    value, column = 0, []
    for _ in range(rows):
        value += source.randrange(-500, 501)
        column.append(value)
    return column


def _encode(columns: list[list[int]]) -> bytes:
    return b"".join(_pages(columns))


def _pages(columns: list[list[int]]) -> Iterator[bytes]:
    for groups in zip(*(batched(column, PAGE, strict=False) for column in columns), strict=True):
        for values in groups:
            page = zlib.compress(struct.pack(f"<{len(values)}q", *values), 1)
            yield struct.pack("<I", len(page)) + page
