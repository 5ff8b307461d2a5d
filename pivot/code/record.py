"""What analysis found, with the evidence for it: kept by the project's accelerator.

A record is used again only if every file and folder that the analysis asked for is as it was, and
the same Python has the same distributions installed. Checking it parses nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pivot.code.findings import SCHEME, Fingerprint, Kind, Location, Opaque
from pivot.hashing import ObjectId
from pivot.paths import RepoPath

DOCUMENT = "code"  # the record's name in the accelerator
_FORMAT = 3


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """Fingerprints by symbol, and the evidence.

    Attributes:
        packages: distribution -> version, by the same symbols.
        files: id of each source asked for; None for one that wasn't there.
        folders: whether each folder asked for was there.
        roots: the source roots, in order.
        installation: identity of the interpreter, its distributions, and the policy for them.
        outside: absolute places of code that isn't parsed (own code outside of the project,
            binaries in it) -> digest.
    """

    fingerprints: Mapping[str, Fingerprint]
    packages: Mapping[str, Mapping[str, str]]
    files: Mapping[RepoPath, ObjectId | None]
    folders: Mapping[RepoPath, bool]
    roots: tuple[RepoPath, ...]
    installation: str
    outside: Mapping[str, str]

    def holds(
        self,
        file_id: Callable[[RepoPath], ObjectId | None],
        is_dir: Callable[[RepoPath], bool],
        outside: Callable[[str], str],
    ) -> bool:
        """Whether the analysis would find the same sources now."""
        return (
            all(file_id(path) == known for path, known in self.files.items())
            and all(is_dir(path) == known for path, known in self.folders.items())
            and all(outside(place) == known for place, known in self.outside.items())
        )


def encode(record: CodeRecord) -> bytes:
    """Compact JSON, for a cache that this machine alone reads."""
    value = {
        "format": _FORMAT,
        "scheme": SCHEME,
        "fingerprints": {name: _fingerprint_json(f) for name, f in record.fingerprints.items()},
        "packages": record.packages,
        "files": {path: None if i is None else i.hex() for path, i in record.files.items()},
        "folders": record.folders,
        "roots": record.roots,
        "installation": record.installation,
        "outside": record.outside,
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
        return CodeRecord(
            {name: _fingerprint(name, row) for name, row in value["fingerprints"].items()},
            value["packages"],
            {_path(p): None if i is None else ObjectId.parse(i) for p, i in value["files"].items()},
            {_path(path): there for path, there in value["folders"].items()},
            tuple(map(_path, value["roots"])),
            value["installation"],
            value["outside"],
        )
    except (ValueError, KeyError, TypeError):
        return None


def _fingerprint_json(fingerprint: Fingerprint) -> dict[str, object]:
    return {
        "symbols": {
            name: [hash_, at.file, at.line, fingerprint.kinds[name]]
            for name, hash_ in fingerprint.code.items()
            for at in (fingerprint.locations[name],)
        },
        "modules": sorted(fingerprint.modules),
        "opaque": [[o.what, o.file, o.line] for o in fingerprint.opaque],
        "via": fingerprint.via,
        "runs": sorted(fingerprint.runs),
    }


def _fingerprint(root: str, value: Mapping[str, Any]) -> Fingerprint:
    rows = value["symbols"]
    return Fingerprint(
        root=root,
        code={name: row[0] for name, row in rows.items()},
        locations={name: Location(_path(row[1]), row[2]) for name, row in rows.items()},
        kinds={name: Kind(row[3]) for name, row in rows.items()},
        modules=frozenset(value["modules"]),
        opaque=tuple(Opaque(what, _path(file), line) for what, file, line in value["opaque"]),
        via=value["via"],
        runs=frozenset(value["runs"]),
    )


def _path(text: str) -> RepoPath:
    return str.__new__(RepoPath, text)
