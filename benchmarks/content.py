"""Inputs that are the same on every machine."""

import os
import random
from collections.abc import Callable
from pathlib import Path

from benchmarks.scale import Scale
from benchmarks.texts import Language
from benchmarks.workbench import CommandError

SEED = 20240229
FILES_IN_FOLDER = 100
INSERTED = b"9999999999,inserted,0.5,0.25\n"
_BLOCK = 1 << 20
_DIGITS = bytes(ord("0") + value % 10 for value in range(256))


def write_small_files(folder: Path, scale: Scale) -> int:
    """`scale.files` files, every second a table and the others random; returns all bytes."""
    source = random.Random(SEED)

    def content(number: int) -> bytes:
        if number % 2:
            return source.randbytes(scale.file_size)
        return table(source, scale.file_size)

    return _write_files(folder, scale.files, content)


def write_texts(folder: Path, scale: Scale) -> int:
    """`scale.files` JSON documents; returns all bytes."""
    source = random.Random(SEED + 3)
    language = Language.make(source)
    return _write_files(folder, scale.files, lambda _: language.document(source, scale.file_size))


def write_many_files(folder: Path, scale: Scale) -> int:
    """`scale.many_files` tables; returns all bytes."""
    source = random.Random(SEED + 4)
    return _write_files(folder, scale.many_files, lambda _: table(source, scale.file_size))


def _write_files(folder: Path, files: int, content: Callable[[int], bytes]) -> int:
    """Files in folders of a hundred."""
    size = 0
    for number in range(files):
        path = folder / f"{number // FILES_IN_FOLDER:03}" / f"{number:05}"
        if number % FILES_IN_FOLDER == 0:
            path.parent.mkdir(parents=True)
        data = content(number)
        path.write_bytes(data)
        size += len(data)
    return size


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


def expect_same(wanted: Path, found: Path) -> None:
    """Raise `CommandError` unless files and bytes are as many: a fast command must have worked."""
    if size_of(wanted) != size_of(found):
        raise CommandError(f"{found} has {size_of(found)}, not {size_of(wanted)} files and bytes")


def size_of(folder: Path) -> tuple[int, int]:
    """Files and their bytes below a folder."""
    sizes = [
        os.path.getsize(os.path.join(root, name))
        for root, _, names in os.walk(folder)
        for name in names
    ]
    return len(sizes), sum(sizes)
