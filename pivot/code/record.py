"""What analysis found, with the evidence for it: kept by the project's accelerator.

A record is used again only if every file and folder that the analysis asked for is as it was, and
the same Python has the same distributions installed. Checking it parses nothing.

Stages reach much the same code. So each entry (a symbol or effects, with its hash and place) is
kept once, and a stage as the numbers of its entries; a fingerprint is made when it is asked for.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from pivot.code.findings import SCHEME, FileRead, Fingerprint, Kind, Location, Opaque
from pivot.hashing import ObjectId
from pivot.paths import RepoPath

DOCUMENT = "code"  # the record's name in the accelerator
_FORMAT = 6


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """Fingerprints by what `Stage.entry` says, and the evidence.

    Attributes:
        packages: distribution -> version, by the same.
        files: id of each source asked for; None for one that wasn't there.
        folders: whether each folder asked for was there.
        listings: the names in each folder that was listed, sorted; see `Sources.names`.
        roots: the source roots, in order.
        installation: identity of the analysis, the interpreter, its distributions, and the policy
            for them.
        outside: absolute places of code that isn't parsed (own code outside of the project,
            binaries in it) -> digest.
        asked: hashes of single symbols that somebody asked for, as `ProjectCode.hashes` gives
            them.
        consulted: digest of what was kept of the modules that each fingerprint depends on.
    """

    fingerprints: Mapping[str, Fingerprint]
    packages: Mapping[str, Mapping[str, str]]
    files: Mapping[RepoPath, ObjectId | None]
    folders: Mapping[RepoPath, bool]
    roots: tuple[RepoPath, ...]
    installation: str
    outside: Mapping[str, str]
    asked: Mapping[str, str | None] = field(default_factory=dict)
    listings: Mapping[RepoPath, Sequence[str]] = field(default_factory=dict)
    consulted: str = ""

    def holds(
        self,
        file_id: Callable[[RepoPath], ObjectId | None],
        is_dir: Callable[[RepoPath], bool],
        names: Callable[[RepoPath], Sequence[str]],
        outside: Callable[[str], str],
    ) -> bool:
        """Whether the analysis would find the same sources now."""
        return (
            all(file_id(path) == known for path, known in self.files.items())
            and all(is_dir(path) == known for path, known in self.folders.items())
            and all([*names(path)] == [*known] for path, known in self.listings.items())
            and all(outside(place) == known for place, known in self.outside.items())
        )

    def edited(
        self, file_id: Callable[[RepoPath], ObjectId | None]
    ) -> Mapping[RepoPath, ObjectId] | None:
        """The files that hold something else now, with what they held.

        None where files came or went.
        """
        changed: dict[RepoPath, ObjectId] = {}
        for path, known in self.files.items():
            now = file_id(path)
            if now != known:
                if now is None or known is None:
                    return None
                changed[path] = known
        return changed


def encode(record: CodeRecord, before: CodeRecord | None = None) -> bytes:
    """Compact JSON, for a cache that this machine alone reads.

    Fingerprints that were taken over from `before`, a decoded record, keep their rows.
    """
    rows = _Rows(before.fingerprints if before is not None else {})
    stages = {symbol: rows.of(symbol, f) for symbol, f in record.fingerprints.items()}
    packages = _Numbers()
    versions = {s: packages.of(tuple(sorted(p.items()))) for s, p in record.packages.items()}
    there = {path: id_ for path, id_ in record.files.items() if id_ is not None}
    value = {
        "format": _FORMAT,
        "scheme": SCHEME,
        "entries": list(zip(*rows.entries.values, strict=True)),
        "texts": rows.texts.values,
        "fresh": rows.fresh or len(rows.entries.values),
        "stages": stages,
        "packages": [packages.values, versions],
        "files": [list(there), b"".join(there.values()).hex()],
        "absent": [path for path, id_ in record.files.items() if id_ is None],
        "folders": record.folders,
        "roots": record.roots,
        "installation": record.installation,
        "outside": record.outside,
        "asked": record.asked,
        "listings": record.listings,
        "consulted": record.consulted,
    }
    return json.dumps(value, separators=(",", ":")).encode()


def decode(data: bytes) -> CodeRecord | None:
    """The inverse of `encode`; None for a record of another version, or none at all.

    Paths were checked before they were encoded and are not checked again.
    """
    try:
        value = json.loads(data)
        if (value["format"], value["scheme"]) != (_FORMAT, SCHEME):
            return None
        paths, ids = value["files"]
        versions, by_symbol = value["packages"]
        packages = [dict(items) for items in versions]
        files: dict[RepoPath, ObjectId | None] = dict.fromkeys(map(_path, value["absent"]))
        files.update(zip(map(_path, paths), ObjectId.many(bytes.fromhex(ids)), strict=True))
        return CodeRecord(
            _Fingerprints(value["entries"], value["texts"], value["stages"], value["fresh"]),
            {symbol: packages[number] for symbol, number in by_symbol.items()},
            files,
            {_path(path): there for path, there in value["folders"].items()},
            tuple(map(_path, value["roots"])),
            value["installation"],
            value["outside"],
            value["asked"],
            {_path(path): tuple(names) for path, names in value["listings"].items()},
            value["consulted"],
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return None


class Deferred[K, V](Mapping[K, V]):
    """A mapping that is made when it is first looked into."""

    def __init__(self, make: Callable[[], Mapping[K, V]]) -> None:
        self._make: Callable[[], Mapping[K, V]] | None = make
        self._made: Mapping[K, V] = {}

    def _all(self) -> Mapping[K, V]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    def __getitem__(self, key: K) -> V:
        return self._all()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class _Fingerprints(Mapping[str, Fingerprint]):
    """Fingerprints by symbol, each made when it is asked for."""

    def __init__(
        self,
        entries: list[list[Any]],
        texts: list[Any],
        stages: Mapping[str, list[str]],
        fresh: int,
    ) -> None:
        """`fresh` is how many entries there were when all of them were in use."""
        columns: list[list[Any]] = entries or [[]] * 5
        self._names, self._hashes, self._files, self._lines, self._kinds = columns
        self._texts = texts
        self._stages = stages
        self.fresh = fresh
        self._made: dict[str, Fingerprint] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._stages)

    def __len__(self) -> int:
        return len(self._stages)

    def __getitem__(self, symbol: str) -> Fingerprint:
        made = self._made.get(symbol)
        if made is None:
            made = self._made[symbol] = self._make(symbol, self._stages[symbol])
        return made

    def _make(self, symbol: str, row: list[str]) -> Fingerprint:
        entries, via, modules, opaque, runs, reads = row
        numbers = _read(entries)
        names = _pick(self._names, numbers)
        return Fingerprint(
            root=symbol.partition(" ")[0],
            code=dict(zip(names, _pick(self._hashes, numbers), strict=True)),
            locations=Deferred(lambda: self._locations(names, numbers)),
            kinds=Deferred(
                lambda: dict(zip(names, map(Kind, _pick(self._kinds, numbers)), strict=True))
            ),
            modules=frozenset(_pick(self._texts, _read(modules))),
            opaque=tuple(
                Opaque(what, _path(file), line)
                for what, file, line in _pick(self._texts, _read(opaque))
            ),
            via=Deferred(
                lambda: {n: names[v] for n, v in zip(names, _read(via), strict=True) if v >= 0}
            ),
            runs=frozenset(_pick(self._texts, _read(runs))),
            reads=_by_entry(_pick(self._texts, _read(reads))),
        )

    @property
    def entries(self) -> Iterator[tuple[Any, ...]]:
        """The entries that rows are numbers of."""
        columns = (self._names, self._hashes, self._files, self._lines, self._kinds)
        return zip(*columns, strict=True)

    @property
    def texts(self) -> Iterator[Any]:
        """What else rows are numbers of."""
        return (tuple(text) if isinstance(text, list) else text for text in self._texts)

    def row(self, symbol: str, fingerprint: Fingerprint) -> list[str] | None:
        """The row that a fingerprint was made of; None if it is another one."""
        return self._stages[symbol] if self._made.get(symbol) is fingerprint else None

    def _locations(self, names: tuple[str, ...], numbers: list[int]) -> dict[str, Location]:
        places = zip(_pick(self._files, numbers), _pick(self._lines, numbers), strict=True)
        return {
            name: Location(_path(self._texts[file]), line)
            for name, (file, line) in zip(names, places, strict=True)
        }


class _Numbers:
    """Values that are kept once, in the order in which they are met."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.values: list[Any] = list(values)
        self._places: dict[Any, int] = {value: n for n, value in enumerate(self.values)}

    def of(self, value: Any) -> int:
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


class _Rows:
    """The rows of fingerprints, and what their numbers stand for."""

    def __init__(self, before: Mapping[str, Fingerprint]) -> None:
        """Goes on with those from `before`, unless most of its entries may be out of use."""
        self._base = before if isinstance(before, _Fingerprints) else None
        if self._base is not None and sum(1 for _ in self._base.entries) > 2 * self._base.fresh:
            self._base = None
        self.entries = _Numbers(self._base.entries if self._base is not None else ())
        self.texts = _Numbers(self._base.texts if self._base is not None else ())
        self.fresh = self._base.fresh if self._base is not None else 0

    def of(self, symbol: str, fingerprint: Fingerprint) -> list[str]:
        """Numbers of the entries, of the entry each was reached from, and of the rest."""
        known = self._base.row(symbol, fingerprint) if self._base is not None else None
        return self._new(fingerprint) if known is None else known

    def _new(self, fingerprint: Fingerprint) -> list[str]:
        places = {name: place for place, name in enumerate(fingerprint.code)}
        locations, kinds = dict(fingerprint.locations), dict(fingerprint.kinds)
        via = dict(fingerprint.via)
        entries = []
        for name, hash_ in fingerprint.code.items():
            at = locations[name]
            file = self.texts.of(str(at.file))
            entries.append(self.entries.of((name, hash_, file, at.line, str(kinds[name]))))
        rest = (
            sorted(fingerprint.modules),
            _opaque_rows(fingerprint),
            sorted(fingerprint.runs),
            _read_rows(fingerprint),
        )
        return [
            _written(entries),
            _written(places.get(via.get(name, ""), -1) for name in places),
            *(_written(map(self.texts.of, values)) for values in rest),
        ]


def _opaque_rows(fingerprint: Fingerprint) -> list[tuple[str, str, int]]:
    return [(o.what, str(o.file), o.line) for o in fingerprint.opaque]


def _read_rows(fingerprint: Fingerprint) -> list[tuple[str, str, str]]:
    return [(name, r.path, r.holds) for name, reads in fingerprint.reads.items() for r in reads]


def _by_entry(rows: Iterable[Sequence[str]]) -> dict[str, tuple[FileRead, ...]]:
    """The inverse of `_read_rows`."""
    found: dict[str, tuple[FileRead, ...]] = {}
    for name, path, holds in rows:
        found[name] = (*found.get(name, ()), FileRead(path, holds))
    return found


def _written(numbers: Iterable[int]) -> str:
    """Numbers as a text, which costs nothing until it is read."""
    return " ".join(map(str, numbers))


def _read(numbers: str) -> list[int]:
    return list(map(int, numbers.split()))


def _pick(values: list[Any], numbers: list[int]) -> tuple[Any, ...]:
    if len(numbers) > 1:
        found: tuple[Any, ...] = itemgetter(*numbers)(values)
        return found
    return tuple(values[number] for number in numbers)


def _path(text: str) -> RepoPath:
    return str.__new__(RepoPath, text)
