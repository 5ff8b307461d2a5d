"""Which modules each fingerprint came from: what has to be looked at again after an edit."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pivot.code.findings import SCHEME
from pivot.code.source.facts import Module, Part
from pivot.code.source.uses import Lookup
from pivot.hashing import ID_SIZE, ObjectId
from pivot.paths import RepoPath

DOCUMENT: Final = "code:consulted"  # its name in the accelerator
_FORMAT: Final = 1
_NOTHING: Final = ObjectId(bytes(ID_SIZE))


@dataclass(frozen=True, slots=True)
class Consulted:
    """What an analysis looked at.

    Attributes:
        files: the source of each module that was looked at.
        stages: for each fingerprint, the modules that something in it depends on.
        names: every dotted name that was looked for.
        whole: fingerprints in which hashes depend on more than their symbols' own code; they are
            made anew after every edit of what they depend on.
    """

    files: Mapping[str, RepoPath]
    stages: Mapping[str, frozenset[str]]
    names: frozenset[str]
    whole: frozenset[str] = frozenset()


def encode(consulted: Consulted) -> bytes:
    """Compact JSON; modules are kept once, and each set of them."""
    modules = {name: number for number, name in enumerate(consulted.files)}
    sets: dict[frozenset[str], int] = {}
    stages = {symbol: sets.setdefault(s, len(sets)) for symbol, s in consulted.stages.items()}
    value = {
        "format": [_FORMAT, SCHEME],
        "files": consulted.files,
        "sets": [sorted(modules[name] for name in names if name in modules) for names in sets],
        "stages": stages,
        "names": sorted(consulted.names),
        "whole": sorted(consulted.whole),
    }
    return json.dumps(value, separators=(",", ":")).encode()


def decode(data: bytes) -> Consulted | None:
    """The inverse of `encode`, but for names without a source; None for anything else."""
    try:
        value = json.loads(data)
        if value["format"] != [_FORMAT, SCHEME]:
            return None
        modules = list(value["files"])
        sets = [frozenset(modules[number] for number in numbers) for numbers in value["sets"]]
        return Consulted(
            {name: str.__new__(RepoPath, file) for name, file in value["files"].items()},
            {symbol: sets[number] for symbol, number in value["stages"].items()},
            frozenset(value["names"]),
            frozenset(value["whole"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def leads_elsewhere(before: Module, after: Module) -> bool:
    """Whether an edit may change more than the hashes and lines of the module's own code.

    What other modules and stages make of a module depends on its names and on what its code uses,
    not on how that is written.
    """
    return list(before.symbols) != list(after.symbols) or _outline(before) != _outline(after)


def _outline(module: Module) -> Module:
    """The facts without hashes and lines."""
    symbols = {
        name: symbol._replace(part=_bare(symbol.part), spans=())
        for name, symbol in module.symbols.items()
    }
    effects = tuple(replace(effect, part=_bare(effect.part)) for effect in module.effects)
    return replace(module, symbols=symbols, effects=effects, docs="")


def _bare(part: Part) -> Part:
    return part._replace(
        line=0,
        digest=_NOTHING,
        text=_NOTHING,
        docs="",
        references=tuple((place, 0) for place, _ in part.references),
        lookups=tuple(Lookup(lookup.what, 0) for lookup in part.lookups),
    )


def all_asked(names: Iterable[str], asked: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """These modules, those that were asked for on their behalf, and so on."""
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += asked.get(name, ())
    return frozenset(found)
