"""A fingerprint as an outline: each entry once, below the one that it was first reached from."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pivot.code.findings import FileRead, Fingerprint, Location
from pivot.hashing import Json


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the code that a stage's key is made of.

    Attributes:
        depth: 0 for the stage's function, 1 for what that leads to, and so on.
        via: the entry that leads to it; None for the stage's function, and for what is declared
            to belong to the stage.
        location: None for what is no symbol of a source.
        reads: files that are read for it when its module is imported.
    """

    entry: str
    depth: int
    kind: str
    hash: str
    via: str | None
    location: Location | None
    reads: tuple[FileRead, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "symbol": self.entry,
            "kind": self.kind,
            "hash": self.hash,
            "file": None if self.location is None else self.location.file,
            "line": None if self.location is None else self.location.line,
            "via": self.via,
            "reads": [read.to_json() for read in self.reads],
        }


def outline(
    fingerprint: Fingerprint, code: Mapping[str, str], kinds: Mapping[str, str]
) -> tuple[Row, ...]:
    """The entries of `code`, what a stage declares of its code, from the root down.

    Those that something leads to side by side come in the order of their sources.
    """
    below: dict[str | None, list[str]] = {}
    for entry in code:
        below.setdefault(fingerprint.via.get(entry), []).append(entry)
    return tuple(_rows(fingerprint, code, kinds, below))


def _rows(
    fingerprint: Fingerprint,
    code: Mapping[str, str],
    kinds: Mapping[str, str],
    below: Mapping[str | None, list[str]],
) -> Iterator[Row]:
    def order(entry: str) -> tuple[bool, str, int, str]:
        at = fingerprint.locations.get(entry)
        return at is None, at.file if at else "", at.line if at else 0, entry

    stack = [(entry, 0) for entry in sorted(below.get(None, ()), key=order, reverse=True)]
    while stack:
        entry, depth = stack.pop()
        via, location = fingerprint.via.get(entry), fingerprint.locations.get(entry)
        kind, reads = kinds.get(entry, "code"), fingerprint.reads.get(entry, ())
        yield Row(entry, depth, kind, code[entry], via, location, reads)
        inner = sorted(below.get(entry, ()), key=order, reverse=True)
        stack += ((part, depth + 1) for part in inner)


def only(rows: Collection[Row], wanted: Collection[str]) -> tuple[Row, ...]:
    """The rows of these entries and of those on the way to them."""
    via = {row.entry: row.via for row in rows}
    kept: set[str] = set()
    for entry in wanted:
        step: str | None = entry
        while step is not None and step not in kept:
            kept.add(step)
            step = via[step]
    return tuple(row for row in rows if row.entry in kept)
