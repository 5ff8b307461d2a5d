"""The sections of fingerprints as rows: numbers of entries, which stand in a table for each module.

Tables are lines of JSON, parsed when an entry of them is asked for. Those of which nothing changed
are written again as they stand.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from pivot.code.findings import Kind, Location
from pivot.code.numbers import Numbers, picked, read_numbers, written_numbers
from pivot.code.sections import Entry, Section
from pivot.paths import RepoPath

_KINDS: Final = {kind.value: kind for kind in Kind}


class Tables:
    """Tables in the making: `rows` of the sections, by the numbers that they are given."""

    def __init__(self) -> None:
        self._numbers: dict[Section, int] = {}
        self._kept: dict[_Table, int] = {}
        self._fresh: dict[str, tuple[int, _Fresh]] = {}
        self._tables: list[_Table | _Fresh] = []
        self.rows: list[str] = []

    def number(self, section: Section) -> int:
        """The number of a section, which may be new."""
        number = self._numbers.get(section)
        if number is None:
            number = self._numbers[section] = len(self.rows)
            self.rows.append(self._row(section))
        return number

    def _row(self, section: Section) -> str:
        """The number of a table, and those of entries in it."""
        kept = section.kept
        if isinstance(kept, _Place):
            place = self._kept.setdefault(kept.table, len(self._tables))
            if place == len(self._tables):
                self._tables.append(kept.table)
            return f"{place} {kept.entries}"
        if section.module not in self._fresh:
            fresh = _Fresh()
            self._fresh[section.module] = len(self._tables), fresh
            self._tables.append(fresh)
        place, fresh = self._fresh[section.module]
        return f"{place} {written_numbers(map(fresh.number, section.entries))}"

    @property
    def lines(self) -> Iterator[bytes]:
        """The tables as they are kept; `rows` are of no use without them."""
        return (table.line for table in self._tables)


class _Fresh:
    """A new table."""

    def __init__(self) -> None:
        self._files = Numbers()
        self._rows = Numbers()

    def number(self, entry: Entry) -> int:
        """The number of an entry, which may be new."""
        at = entry.location
        row = (entry.name, entry.hash, self._files.of(at.file), at.line, entry.kind, entry.via)
        return self._rows.of(row)

    @property
    def line(self) -> bytes:
        value = [self._files.values, self._rows.values]
        return json.dumps(value, separators=(",", ":")).encode()


class KeptSections:
    """The sections of a record; stages that share one get the same."""

    def __init__(self, data: bytes, rows: Sequence[str]) -> None:
        """`data` has the tables in its lines after the first one."""
        self._data = data
        self._rows = rows
        self._made: dict[int, Section] = {}

    @cached_property
    def _tables(self) -> list["_Table"]:
        return list(map(_Table, self._data.split(b"\n")[1:]))

    def at(self, numbers: str) -> "_Sections":
        """The sections of these numbers, made when they are asked for."""
        return _Sections(self, numbers)

    def section(self, number: int) -> Section:
        """One section."""
        made = self._made.get(number)
        if made is None:
            table, _, entries = self._rows[number].partition(" ")
            place = _Place(self._tables[int(table)], entries)
            made = self._made[number] = Section(place.read, place)
        return made


class _Sections(Sequence[Section]):
    def __init__(self, kept: KeptSections, numbers: str) -> None:
        self._kept = kept
        self._numbers = numbers

    @cached_property
    def _all(self) -> list[Section]:
        return list(map(self._kept.section, read_numbers(self._numbers)))

    def __getitem__(self, place: Any) -> Any:
        return self._all[place]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Section]:
        return iter(self._all)


class _Table:
    """A table as it was kept."""

    def __init__(self, line: bytes) -> None:
        self.line = line

    @cached_property
    def entries(self) -> list[Entry]:
        files, rows = json.loads(self.line)
        paths = list(map(_path, files))
        return [
            Entry(name, hash_, Location(paths[file], line), _KINDS[kind], via)
            for name, hash_, file, line, kind, via in rows
        ]


class _Place(NamedTuple):
    """Where a section stands: entries of a table."""

    table: _Table
    entries: str

    def read(self) -> Sequence[Entry]:
        return picked(self.table.entries, read_numbers(self.entries))


def _path(text: str) -> RepoPath:
    """Paths were checked before they were kept."""
    return str.__new__(RepoPath, text)
