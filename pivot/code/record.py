"""What analysis found, with the evidence for it: kept by the project's accelerator.

A record is used again only if every file and folder that the analysis asked for is as it was, and
the same Python has the same distributions installed. Checking it parses nothing.

Stages reach much the same code. So each entry (a symbol or effects, with its hash and place) is
kept once, and a stage as the numbers of its sections, which are numbers of entries. Of most stages
nobody asks more than whether their code is as it was: so the entries stand behind the rest, in a
table for each module, and are read when one is asked for; after an edit tables are kept unread.
What tells a stage's code without them is its digest.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pivot.code.findings import SCHEME, FileRead, Fingerprint, Opaque
from pivot.code.numbers import Numbers, picked, read_numbers, written_numbers
from pivot.code.sections import SectionedCode, fingerprint_of, sections_of
from pivot.code.tables import KeptSections, Tables
from pivot.hashing import ObjectId
from pivot.lock.code import code_digest
from pivot.paths import RepoPath

DOCUMENT = "code"  # the record's name in the accelerator
_FORMAT = 8


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
    """Lines of compact JSON, for a cache that this machine alone reads: all but the entries, and
    the tables of entries.

    What was taken over from `before`, a decoded record, is kept as it stands there.
    """
    rows = _Rows(before.fingerprints if before is not None else {})
    stages = {symbol: rows.of(symbol, f) for symbol, f in record.fingerprints.items()}
    packages = Numbers()
    versions = {s: packages.of(tuple(sorted(p.items()))) for s, p in record.packages.items()}
    there = {path: id_ for path, id_ in record.files.items() if id_ is not None}
    value = {
        "format": _FORMAT,
        "scheme": SCHEME,
        "texts": rows.texts.values,
        "fresh": rows.fresh or len(rows.texts.values),
        "sections": rows.tables.rows,
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
    return b"\n".join([json.dumps(value, separators=(",", ":")).encode(), *rows.tables.lines])


def decode(data: bytes) -> CodeRecord | None:
    """The inverse of `encode`; None for a record of another version, or none at all.

    Paths were checked before they were encoded and are not checked again.
    """
    try:
        value = json.loads(data.partition(b"\n")[0])
        if (value["format"], value["scheme"]) != (_FORMAT, SCHEME):
            return None
        paths, ids = value["files"]
        versions, by_symbol = value["packages"]
        packages = [dict(items) for items in versions]
        files: dict[RepoPath, ObjectId | None] = dict.fromkeys(map(_path, value["absent"]))
        files.update(zip(map(_path, paths), ObjectId.many(bytes.fromhex(ids)), strict=True))
        return CodeRecord(
            _Fingerprints(
                value["stages"],
                value["texts"],
                value["fresh"],
                KeptSections(data, value["sections"]),
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


class _Fingerprints(Mapping[str, Fingerprint]):
    """Fingerprints by symbol, each made when it is asked for."""

    def __init__(
        self,
        stages: Mapping[str, list[str]],
        texts: list[Any],
        fresh: int,
        sections: KeptSections,
    ) -> None:
        """`fresh` is how many texts there were when all were in use."""
        self._stages = stages
        self._texts = texts
        self._sections = sections
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

    def _make(self, symbol: str, digest: str, sections: str, *rest: str) -> Fingerprint:
        modules, opaque, runs, reads = (picked(self._texts, read_numbers(row)) for row in rest)
        found = self._sections.at(sections)
        return fingerprint_of(
            symbol.partition(" ")[0],
            SectionedCode(found, ObjectId.parse(digest)),
            modules=frozenset(modules),
            opaque=tuple(Opaque(what, _path(file), line) for what, file, line in opaque),
            runs=frozenset(runs),
            reads=_by_entry(reads),
        )

    @property
    def texts(self) -> Iterator[Any]:
        """What rows are numbers of."""
        return (tuple(text) if isinstance(text, list) else text for text in self._texts)

    def rest(self, symbol: str, fingerprint: Fingerprint) -> list[str] | None:
        """The end of the row that a fingerprint was made of; None if it is another one."""
        return self._stages[symbol][2:] if self._made.get(symbol) is fingerprint else None


class _Rows:
    """The rows of fingerprints, and what their numbers stand for."""

    def __init__(self, before: Mapping[str, Fingerprint]) -> None:
        """Goes on with those from `before`, unless most of its texts may be out of use."""
        self._base = before if isinstance(before, _Fingerprints) else None
        texts = list(self._base.texts) if self._base is not None else []
        if self._base is not None and len(texts) > 2 * self._base.fresh:
            self._base, texts = None, []
        self.texts = Numbers(texts)
        self.fresh = self._base.fresh if self._base is not None else 0
        self.tables = Tables()

    def of(self, symbol: str, fingerprint: Fingerprint) -> list[str]:
        """The digest of the code, and numbers of the sections and of the rest."""
        known = self._base.rest(symbol, fingerprint) if self._base is not None else None
        return [
            code_digest(fingerprint.code).hex(),
            written_numbers(map(self.tables.number, sections_of(fingerprint))),
            *(self._rest(fingerprint) if known is None else known),
        ]

    def _rest(self, fingerprint: Fingerprint) -> list[str]:
        rest = (
            sorted(fingerprint.modules),
            _opaque_rows(fingerprint),
            sorted(fingerprint.runs),
            _read_rows(fingerprint),
        )
        return [written_numbers(map(self.texts.of, values)) for values in rest]


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


def _path(text: str) -> RepoPath:
    return str.__new__(RepoPath, text)
