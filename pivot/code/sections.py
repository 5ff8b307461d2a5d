"""What stages reach, in sections of a module each, which stages share.

Most stages that reach a module reach the same of it. So what is made of its entries is made once
for all of them: their lines in locks, and their rows in the record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Final, NamedTuple

from pivot.code.findings import FileRead, Fingerprint, Kind, Location, Opaque
from pivot.hashing import ObjectId
from pivot.late import Deferred
from pivot.lock.code import CodeHashes, code_lines, lines_digest

ROOT: Final = "<root>"
"""The stage's function, as what an entry was reached from: sections don't name it."""


class Entry(NamedTuple):
    """A symbol, or a module's effects, as one of a stage's entries.

    Attributes:
        name: `package.module:name`.
        hash: what stands for it in a lock.
        location: where it is defined first.
        kind: what it is.
        via: the entry that it was first reached from, or `ROOT`; None for the function itself.
    """

    name: str
    hash: str
    location: Location
    kind: Kind
    via: str | None


class Section:
    """Entries of one module, sorted by name; without the stage's function, which has its own."""

    def __init__(self, make: Callable[[], Sequence[Entry]], kept: object = None) -> None:
        """`make` gives the entries when they are first asked for; `kept` is where from."""
        self._make = make
        self.kept = kept

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Section":
        """Some entries, in any order."""
        ordered = sorted(entries, key=itemgetter(0))
        return cls(lambda: ordered)

    @cached_property
    def entries(self) -> Sequence[Entry]:
        return self._make()

    @property
    def module(self) -> str:
        return self.entries[0].name.partition(":")[0]

    @cached_property
    def lines(self) -> str:
        """The entries as they stand in a lock."""
        return code_lines({entry.name: entry.hash for entry in self.entries})


class SectionedCode(CodeHashes):
    """The hashes of a fingerprint that has sections."""

    def __init__(self, sections: Sequence[Section], digest: ObjectId | None = None) -> None:
        """`digest` is that of the hashes, where it is known."""
        super().__init__(
            digest or lines_digest(_lines(sections)),
            lambda: {entry.name: entry.hash for entry in _entries(sections)},
        )
        self.sections = sections


def fingerprint_of(
    root: str,
    code: SectionedCode,
    *,
    modules: frozenset[str],
    opaque: tuple[Opaque, ...],
    runs: frozenset[str],
    reads: Mapping[str, tuple[FileRead, ...]],
) -> Fingerprint:
    """The fingerprint with this code; what its sections say beside is read when asked for."""
    sections = code.sections
    return Fingerprint(
        root=root,
        code=code,
        locations=Deferred(lambda: {entry.name: entry.location for entry in _entries(sections)}),
        kinds=Deferred(lambda: {entry.name: entry.kind for entry in _entries(sections)}),
        modules=modules,
        opaque=opaque,
        via=Deferred(lambda: _via(sections)),
        runs=runs,
        reads=reads,
    )


def sections_of(fingerprint: Fingerprint) -> Sequence[Section]:
    """The sections of a fingerprint, however it was made."""
    if isinstance(fingerprint.code, SectionedCode):
        return fingerprint.code.sections
    locations, kinds, via = fingerprint.locations, fingerprint.kinds, fingerprint.via
    root = next((name for name in fingerprint.code if name not in via), None)
    found: dict[str, list[Entry]] = {}
    for name, hash_ in fingerprint.code.items():
        module = "" if name == root else name.partition(":")[0]
        before = ROOT if via.get(name) == root and name != root else via.get(name)
        found.setdefault(module, []).append(
            Entry(name, hash_, locations[name], kinds[name], before)
        )
    return [Section.of(entries) for entries in found.values()]


def _entries(sections: Iterable[Section]) -> list[Entry]:
    every = (entry for section in sections for entry in section.entries)
    return sorted(every, key=itemgetter(0))


def _lines(sections: Iterable[Section]) -> list[str]:
    """The lines of all entries in a lock, in the order of their names.

    Those of a module stand together, for no module's name with a colon begins another one's.
    """
    by_module: dict[str, list[Section]] = {}
    for section in sections:
        by_module.setdefault(f"{section.module}:", []).append(section)
    return [
        found[0].lines if len(found) == 1 else Section.of(_entries(found)).lines
        for _, found in sorted(by_module.items())
    ]


def _via(sections: Iterable[Section]) -> dict[str, str]:
    entries = _entries(sections)
    root = next((entry.name for entry in entries if entry.via is None), "")
    return {e.name: root if e.via == ROOT else e.via for e in entries if e.via is not None}
