"""What analysis found, with the evidence for it: kept by the project's accelerator.

A record is used again only if every file and folder that the analysis asked for is as it was, and
the same Python has the same distributions installed. Checking it parses nothing.

Stages reach much the same code. So each entry (a symbol or effects, with its hash and place) is
kept once, and a stage as the numbers of its entries. Of most stages nobody asks more than whether
their code is as it was: so the entries stand apart, behind the rest, and are read when one is asked
for. What tells a stage's code without them is its digest.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from pivot.code.findings import SCHEME, FileRead, Fingerprint, Kind, Location, Opaque
from pivot.hashing import ObjectId
from pivot.late import Deferred
from pivot.lock.code import CodeHashes, code_digest
from pivot.paths import RepoPath

DOCUMENT = "code"  # the record's name in the accelerator
_FORMAT = 7


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
    """Two lines of compact JSON, for a cache that this machine alone reads: all but the entries,
    and the entries.

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
    entries = {"columns": list(zip(*rows.entries.values, strict=True)), "reached": rows.reached}
    return b"\n".join(json.dumps(v, separators=(",", ":")).encode() for v in (value, entries))


def decode(data: bytes) -> CodeRecord | None:
    """The inverse of `encode`; None for a record of another version, or none at all.

    Paths were checked before they were encoded and are not checked again.
    """
    try:
        end = data.index(b"\n")
        value = json.loads(data[:end])
        if (value["format"], value["scheme"]) != (_FORMAT, SCHEME):
            return None
        paths, ids = value["files"]
        versions, by_symbol = value["packages"]
        packages = [dict(items) for items in versions]
        files: dict[RepoPath, ObjectId | None] = dict.fromkeys(map(_path, value["absent"]))
        files.update(zip(map(_path, paths), ObjectId.many(bytes.fromhex(ids)), strict=True))
        return CodeRecord(
            _Fingerprints(
                value["stages"], value["texts"], value["fresh"], lambda: json.loads(data[end:])
            ),
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


class _Entries:
    """Which entries each fingerprint has, with their hashes and places: read when first asked."""

    def __init__(self, load: Callable[[], Mapping[str, Any]], texts: Sequence[Any]) -> None:
        self._load = load
        self._texts = texts

    @cached_property
    def _loaded(self) -> Mapping[str, Any]:
        return self._load()

    @property
    def columns(self) -> list[list[Any]]:
        """Of all entries the names, hashes, files, lines, and kinds."""
        return self._loaded["columns"] or [[]] * 5

    def row(self, symbol: str) -> list[str]:
        """Numbers of a fingerprint's entries, and of the place of that each was reached from."""
        row: list[str] = self._loaded["reached"][symbol]
        return row

    def _of(self, symbol: str, *columns: int) -> Iterable[tuple[Any, ...]]:
        numbers = _read(self.row(symbol)[0])
        return zip(*(_pick(self.columns[column], numbers) for column in columns), strict=True)

    def code(self, symbol: str) -> dict[str, str]:
        return dict(self._of(symbol, 0, 1))

    def locations(self, symbol: str) -> dict[str, Location]:
        return {
            name: Location(_path(self._texts[file]), line)
            for name, file, line in self._of(symbol, 0, 2, 3)
        }

    def kinds(self, symbol: str) -> dict[str, Kind]:
        return {name: Kind(kind) for name, kind in self._of(symbol, 0, 4)}

    def via(self, symbol: str) -> dict[str, str]:
        entries, via = map(_read, self.row(symbol))
        names = _pick(self.columns[0], entries)
        return {name: names[v] for name, v in zip(names, via, strict=True) if v >= 0}


class _Fingerprints(Mapping[str, Fingerprint]):
    """Fingerprints by symbol, each made when it is asked for."""

    def __init__(
        self,
        stages: Mapping[str, list[str]],
        texts: list[Any],
        fresh: int,
        load: Callable[[], Mapping[str, Any]],
    ) -> None:
        """`load` gives the entries, `fresh` is how many there were when all were in use."""
        self._stages = stages
        self._texts = texts
        self._entries = _Entries(load, texts)
        self.fresh = fresh
        self._made: dict[str, Fingerprint] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._stages)

    def __len__(self) -> int:
        return len(self._stages)

    def __getitem__(self, symbol: str) -> Fingerprint:
        made = self._made.get(symbol)
        if made is None:
            made = self._made[symbol] = self._make(symbol, *self._stages[symbol])
        return made

    def _make(
        self, symbol: str, digest: str, modules: str, opaque: str, runs: str, reads: str
    ) -> Fingerprint:
        entries, texts = self._entries, self._texts
        return Fingerprint(
            root=symbol.partition(" ")[0],
            code=CodeHashes(ObjectId.parse(digest), lambda: entries.code(symbol)),
            locations=Deferred(lambda: entries.locations(symbol)),
            kinds=Deferred(lambda: entries.kinds(symbol)),
            modules=frozenset(_pick(texts, _read(modules))),
            opaque=tuple(
                Opaque(what, _path(file), line) for what, file, line in _pick(texts, _read(opaque))
            ),
            via=Deferred(lambda: entries.via(symbol)),
            runs=frozenset(_pick(texts, _read(runs))),
            reads=_by_entry(_pick(texts, _read(reads))),
        )

    @property
    def entries(self) -> list[tuple[Any, ...]]:
        """The entries that rows are numbers of."""
        return list(zip(*self._entries.columns, strict=True))

    @property
    def texts(self) -> Iterator[Any]:
        """What else rows are numbers of."""
        return (tuple(text) if isinstance(text, list) else text for text in self._texts)

    def row(self, symbol: str, fingerprint: Fingerprint) -> tuple[list[str], list[str]] | None:
        """The rows that a fingerprint was made of; None if it is another one."""
        if self._made.get(symbol) is not fingerprint:
            return None
        return self._stages[symbol], self._entries.row(symbol)


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
        entries = self._base.entries if self._base is not None else []
        if self._base is not None and len(entries) > 2 * self._base.fresh:
            self._base, entries = None, []
        self.entries = _Numbers(entries)
        self.texts = _Numbers(self._base.texts if self._base is not None else ())
        self.fresh = self._base.fresh if self._base is not None else 0
        self.reached: dict[str, list[str]] = {}

    def of(self, symbol: str, fingerprint: Fingerprint) -> list[str]:
        """The digest of the code, and numbers of the rest; `reached` gets those of the entries."""
        known = self._base.row(symbol, fingerprint) if self._base is not None else None
        rest, self.reached[symbol] = self._new(fingerprint) if known is None else known
        return rest

    def _new(self, fingerprint: Fingerprint) -> tuple[list[str], list[str]]:
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
            code_digest(fingerprint.code).hex(),
            *(_written(map(self.texts.of, values)) for values in rest),
        ], [
            _written(entries),
            _written(places.get(via.get(name, ""), -1) for name in places),
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
