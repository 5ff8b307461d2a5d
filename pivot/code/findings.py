"""What analysis gives, as plain values: light to import, for they are read on every no-op."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from pivot.hashing import Json
from pivot.paths import RepoPath

EFFECTS: Final = "<effects>"
"""What a module does when it is imported, beside defining names: an entry `module:<effects>`."""

MODULE: Final = "<module>"
"""All of a module, as an entry `module:<module>`."""

IGNORED: Final = "ignored"
"""What stands in a lock instead of the hash of a symbol that a comment says to ignore."""

SOURCE: Final = "source "
"""What stands before the digest of own code outside of the project, in place of a version."""

SCHEME: Final = 1
"""Number of the normal form and of how hashes are made from it; kept in every lock."""


class Kind(StrEnum):
    """What a symbol is, as `status --explain` prints it: `func:normalize`."""

    FUNCTION = "func"
    CLASS = "class"
    CONSTANT = "const"
    EFFECTS = "effects"
    FILE = "file"


class Location(NamedTuple):
    """A line of a source file, 1-based."""

    file: RepoPath
    line: int


class Opaque(NamedTuple):
    """Something that can't be followed without running it, and where it stands."""

    what: str
    file: RepoPath
    line: int

    @property
    def order(self) -> tuple[str, int, str]:
        """What to sort by."""
        return self.file, self.line, self.what


class FileRead(NamedTuple):
    """A file that code reads when it is imported, or a folder of which it takes the names.

    Attributes:
        path: relative to the project's root; of a folder with a slash at its end.
        holds: hash of the file (64 hex digits), or the names; empty for a folder as such.
    """

    path: str
    holds: str

    @property
    def is_file(self) -> bool:
        return not self.path.endswith("/")

    def to_json(self) -> dict[str, Json]:
        return {"path": self.path, "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a stage's function can reach, without having run or imported anything.

    Attributes:
        root: the function, `package.module:qualname`.
        code: hash (64 hex digits) by symbol, `package.module:name`, sorted. A module's effects are
            the symbol `package.module:<effects>`.
        locations: where each symbol is defined first; not part of any hash.
        kinds: what each symbol is.
        modules: top-level names of modules that come from neither the project nor Python.
        opaque: look-ups that couldn't be followed, sorted.
        via: the entry that each other one but the root was first reached from.
        runs: dotted names of project modules that are imported on the way.
        reads: the files that importing an entry's module reads for it, if any.
    """

    root: str
    code: Mapping[str, str]
    locations: Mapping[str, Location]
    kinds: Mapping[str, Kind]
    modules: frozenset[str]
    opaque: tuple[Opaque, ...]
    via: Mapping[str, str] = field(default_factory=dict)
    runs: frozenset[str] = frozenset()
    reads: Mapping[str, tuple[FileRead, ...]] = field(default_factory=dict)

    def chain(self, entry: str) -> tuple[str, ...]:
        """The way from the root to an entry of `code`, both included."""
        found = [entry]
        while (before := self.via.get(found[-1])) is not None:
            found.append(before)
        return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class Reached:
    """What some symbols lead to, they themselves included.

    Attributes:
        files: by entry, as in `Fingerprint.code`, the file in which it stands.
        runs: dotted names of project modules that are imported on the way.
        modules: top-level names of modules on the way that come from neither the project nor
            Python.
    """

    files: Mapping[str, RepoPath] = field(default_factory=dict)
    runs: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()

    def joined(self, other: "Reached") -> "Reached":
        """What both lead to."""
        return Reached(
            {**self.files, **other.files},
            self.runs | other.runs,
            self.modules | other.modules,
        )
