"""One symbol or effect by itself: its hash, and what it leads to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pivot.code.findings import SCHEME, Kind, Location, Opaque
from pivot.code.ignoring import IGNORED
from pivot.code.normal import encode
from pivot.code.references import Reference, Uses, find_uses
from pivot.code.resolve import Modules, SymbolId, Targets
from pivot.code.symbols import Definition, Module, Symbol
from pivot.hashing import ObjectId, derive

_CONTEXT: Final = f"pivot code {SCHEME}"
_IGNORED: Final = derive(_CONTEXT, IGNORED.encode())


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of one symbol, or one effect, whatever stage reaches it.

    Attributes:
        hash: of its own normal form and of what its free names stand for.
        kind: see `Kind`.
        location: of its first definition.
        symbols: project symbols that it uses.
        runs: project modules that it makes run, not counting parents.
        widens: modules of which it may use any name.
        externals: top-level names of modules outside the project.
        changes: project symbols that it may change when it runs.
        changes_outside: it sets attributes or items of things outside the project.
        watches: classes whose subclasses it looks for.
        opaque: what couldn't be followed.
        is_ignored: a comment says that it doesn't count.
    """

    hash: ObjectId
    kind: Kind
    location: Location
    symbols: tuple[SymbolId, ...]
    runs: tuple[str, ...]
    widens: tuple[str, ...]
    externals: frozenset[str]
    changes: frozenset[SymbolId]
    changes_outside: bool
    watches: frozenset[SymbolId]
    opaque: tuple[Opaque, ...]
    is_ignored: bool = False

    @property
    def value(self) -> str:
        """What stands for it in a lock."""
        return IGNORED if self.is_ignored else str(self.hash)


def analyse(
    modules: Modules, module: Module, definitions: Sequence[Definition], kind: Kind
) -> Node:
    """The node of a symbol's definitions, or of one effect, in `module`."""
    parts = [part for d in definitions for part in (*(g.test for g in d.guards), d.node)]
    uses = find_uses(parts, module.place)
    found = [(reference, modules.resolve(module, reference)) for reference in uses.references]
    written = [modules.resolve(module, reference) for reference in uses.writes]
    called = [modules.resolve(module, reference) for reference in uses.calls]
    return Node(
        hash=_hash(module, definitions, found),
        kind=kind,
        location=Location(module.file, definitions[0].node.lineno),
        symbols=tuple(dict.fromkeys(s for _, targets in found for s in targets.symbols)),
        runs=tuple(dict.fromkeys(m for _, targets in found for m in targets.traversed)),
        widens=tuple(dict.fromkeys(m for _, targets in found for m in targets.modules)),
        externals=frozenset(
            name.partition(".")[0] for _, targets in found for name in targets.externals
        ),
        changes=frozenset(s for targets in (*written, *called) for s in targets.symbols),
        changes_outside=any(targets.externals for targets in written),
        watches=_watches(found),
        opaque=_opaque(module, uses, found),
    )


def ignored(module: Module, symbol: Symbol) -> Node:
    """The node of a symbol that doesn't count: it is there, and leads to nothing."""
    return Node(
        hash=_IGNORED,
        kind=symbol.kind,
        location=Location(module.file, symbol.line),
        symbols=(),
        runs=(),
        widens=(),
        externals=frozenset(),
        changes=frozenset(),
        changes_outside=False,
        watches=frozenset(),
        opaque=(),
        is_ignored=True,
    )


def _watches(found: Iterable[tuple[Reference, Targets]]) -> frozenset[SymbolId]:
    return frozenset(
        symbol
        for reference, targets in found
        if "__subclasses__" in reference.chain
        for symbol in targets.symbols
    )


def _opaque(
    module: Module, uses: Uses, found: Iterable[tuple[Reference, Targets]]
) -> tuple[Opaque, ...]:
    lookups = {Opaque(lookup.what, module.file, lookup.line) for lookup in uses.lookups}
    widened = {
        Opaque(f"{reason}: {name}", module.file, reference.line)
        for reference, targets in found
        for name, reason in targets.modules.items()
    }
    return tuple(sorted(lookups | widened, key=lambda opaque: opaque.order))


def _hash(
    module: Module,
    definitions: Sequence[Definition],
    found: Iterable[tuple[Reference, Targets]],
) -> ObjectId:
    """Own normal form, then one line for each name that stands for something elsewhere."""
    out: list[bytes] = []
    for definition in definitions:
        for guard in definition.guards:
            out += (b"+" if guard.holds else b"-", encode(guard.test))
        out += (b"=", encode(definition.node, named=False))
    bindings = {line for r, targets in found if (line := _binding(module, r, targets))}
    out += (line.encode("utf-8", "surrogatepass") for line in sorted(bindings))
    return derive(_CONTEXT, b"".join(out))


def _binding(module: Module, reference: Reference, targets: Targets) -> str | None:
    """What a name stands for, as text; None if it is the module's own symbol of that name."""
    origin = reference.origin
    own = None
    if origin is None and reference.chain:
        own = SymbolId(module.place.module, reference.chain[0])
    meant = sorted(
        {
            *(str(symbol) for symbol in targets.symbols if symbol != own),
            *targets.modules,
            *targets.externals,
        }
    )
    if not meant:
        return None
    start = f"{origin.module} {origin.name or ''}" if origin else ""
    return f"\n{start}>{'.'.join(reference.chain)}={' '.join(meant)}"
