"""Inputs that are the same on every machine."""

import os
import random
from pathlib import Path

from benchmarks.scale import Scale

SEED = 20240229
FILES_IN_FOLDER = 100
INSERTED = b"9999999999,inserted,0.5,0.25\n"
_BLOCK = 1 << 20
_DIGITS = bytes(ord("0") + value % 10 for value in range(256))


def write_small_files(folder: Path, scale: Scale) -> int:
    """`scale.files` files in folders of a hundred, every second text; returns all bytes."""
    source = random.Random(SEED)
    for number in range(scale.files):
        path = folder / f"{number // FILES_IN_FOLDER:03}" / f"{number:05}"
        if number % FILES_IN_FOLDER == 0:
            path.parent.mkdir(parents=True)
        if number % 2:
            path.write_bytes(source.randbytes(scale.file_size))
        else:
            path.write_bytes(table(source, scale.file_size))
    return scale.files * scale.file_size


def write_incompressible(path: Path, size: int) -> None:
    """`size` random bytes."""
    source = random.Random(SEED + 1)
    with path.open("wb") as file:
        for start in range(0, size, _BLOCK):
            file.write(source.randbytes(min(_BLOCK, size - start)))


def write_table(path: Path, size: int) -> None:
    """A CSV file of `size` bytes."""
    source = random.Random(SEED + 2)
    with path.open("wb") as file:
        for start in range(0, size, _BLOCK):
            file.write(table(source, min(_BLOCK, size - start)))


def insert_row(source: Path, target: Path) -> None:
    """Copy a table with one row inserted after its middle."""
    with source.open("rb") as reader, target.open("wb") as writer:
        middle = source.stat().st_size // 2
        for start in range(0, middle, _BLOCK):
            writer.write(reader.read(min(_BLOCK, middle - start)))
        writer.write(reader.readline())
        writer.write(INSERTED)
        while block := reader.read(_BLOCK):
            writer.write(block)


def table(source: random.Random, size: int) -> bytes:
    """`size` bytes of rows of a category and three numbers of 4 to 6 random digits."""
    rows = []
    kinds = (b"north", b"south", b"east", b"west")
    digits = source.randbytes(size).translate(_DIGITS)
    for start in range(0, size, 24):
        row = digits[start : start + 16]
        rows.append(b"%s,%s,0.%s,%s\n" % (kinds[row[0] % 4], row[:6], row[6:10], row[10:15]))
    return b"".join(rows)[:size]


def size_of(folder: Path) -> tuple[int, int]:
    """Files and their bytes below a folder."""
    sizes = [
        os.path.getsize(os.path.join(root, name))
        for root, _, names in os.walk(folder)
        for name in names
    ]
    return len(sizes), sum(sizes)
