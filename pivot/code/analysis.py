"""One symbol or effect by itself: its hash, and what it leads to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pivot.code.facts import Module, Part, Symbol
from pivot.code.findings import IGNORED, SCHEME, Kind, Location, Opaque
from pivot.code.references import SUBCLASSES, Reference
from pivot.code.reflection import ANY
from pivot.code.resolve import Modules, SymbolId, Targets
from pivot.hashing import ObjectId, derive

_CONTEXT: Final = f"pivot symbol {SCHEME}"
_FILES_CONTEXT: Final = f"pivot files {SCHEME}"
_IGNORED: Final = derive(_CONTEXT, IGNORED.encode())

# A reference's place among the module's, the line where it stands, and what it stands for.
type _Found = tuple[int, int, Targets]


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
        watches: classes whose subclasses it looks for; `watches_all`: of any class.
        called: project symbols that it calls when its module is imported.
        opaque: what couldn't be followed.
        is_ignored: a comment says that it doesn't count.
        files: what the files hold that it reads at import; see `DataFiles.read`.
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
    watches_all: bool
    called: tuple[SymbolId, ...]
    opaque: tuple[Opaque, ...]
    is_ignored: bool = False
    files: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """What stands for it in a lock."""
        return IGNORED if self.is_ignored else str(self.hash)


def analyse(modules: Modules, module: Module, part: Part, kind: Kind) -> Node:
    """The node of a symbol, or of one effect, in `module`, without the files that it reads."""
    found = [(i, line, modules.targets(module, i)) for i, line in part.references]
    targets = [target for _, _, target in found]
    written = [modules.targets(module, i) for i in part.writes]
    called = [modules.targets(module, i) for i in part.calls]
    return Node(
        hash=_hash(module, part, found),
        kind=kind,
        location=Location(module.file, part.line),
        symbols=tuple(dict.fromkeys(s for t in targets for s in t.symbols)),
        runs=tuple(dict.fromkeys(m for t in targets for m in t.traversed)),
        widens=tuple(dict.fromkeys(_widened(modules, module, part, found))),
        externals=frozenset(name.partition(".")[0] for t in targets for name in t.externals),
        changes=frozenset(s for t in (*written, *called) for s in t.symbols),
        changes_outside=any(t.externals for t in written),
        watches=_watches(module, found),
        watches_all=any(lookup.what == SUBCLASSES for lookup in part.lookups),
        called=tuple(s for i in part.called for s in modules.targets(module, i).symbols),
        opaque=_opaque(module, part, found),
    )


def with_files(node: Node, lines: Sequence[str]) -> Node:
    """The same, with what the files that it reads hold; see `DataFiles.read`."""
    if not lines:
        return node
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return replace(node, hash=derive(_FILES_CONTEXT, node.hash + text), files=tuple(lines))


def analyse_symbol(modules: Modules, module: Module, symbol: Symbol, *, heed: bool) -> Node:
    """The node of a symbol in `module`; `heed`: whether a comment that says to ignore it counts."""
    if symbol.ignored and heed:
        return _left_out(module, symbol)
    return analyse(modules, module, symbol.part, symbol.kind)


def _left_out(module: Module, symbol: Symbol) -> Node:
    """The node of a symbol that doesn't count: it is there, and leads to nothing."""
    return Node(
        hash=_IGNORED,
        kind=symbol.kind,
        location=Location(module.file, symbol.part.line),
        symbols=(),
        runs=(),
        widens=(),
        externals=frozenset(),
        changes=frozenset(),
        changes_outside=False,
        watches=frozenset(),
        watches_all=False,
        called=(),
        opaque=(),
        is_ignored=True,
    )


def _watches(module: Module, found: Iterable[_Found]) -> frozenset[SymbolId]:
    return frozenset(
        symbol
        for index, _, targets in found
        if "__subclasses__" in module.references[index].chain
        for symbol in targets.symbols
    )


def _widened(
    modules: Modules, module: Module, part: Part, found: Iterable[_Found]
) -> Iterator[str]:
    """The modules of which any name may be used."""
    for index, _, targets in found:
        yield from targets.modules
        chain = module.references[index].chain
        if "__globals__" in chain:
            yield from (symbol.module for symbol in targets.symbols)
        if "__path__" in chain:
            yield from (m for package in targets.traversed for m in _within(modules, package))
    for name in part.loads:
        package, _, last = name.rpartition(".")
        if last == ANY:
            yield from _within(modules, package)
        elif (known := modules.find(name)) is not None and known.file is not None:
            yield name


def _within(modules: Modules, package: str) -> Iterator[str]:
    """The modules with a source in a package, however deep."""
    found = modules.find(package)
    for folder in found.folders if found is not None else ():
        for name in modules.listed(folder):
            inner = modules.find(f"{package}.{name.removesuffix('.py')}")
            if inner is not None:
                if inner.file is not None:
                    yield inner.name
                yield from _within(modules, inner.name)


def _opaque(module: Module, part: Part, found: Iterable[_Found]) -> tuple[Opaque, ...]:
    lookups = {Opaque(lookup.what, module.file, lookup.line) for lookup in part.lookups}
    widened = {
        Opaque(f"{reason}: {name}", module.file, line)
        for _, line, targets in found
        for name, reason in targets.modules.items()
    }
    return tuple(sorted(lookups | widened, key=lambda opaque: opaque.order))


def _hash(module: Module, part: Part, found: Iterable[_Found]) -> ObjectId:
    """Own normal form, then one line for each name that stands for something elsewhere."""
    bindings = {
        line
        for index, _, targets in found
        if (line := _binding(module, module.references[index], targets))
    }
    if not bindings:
        return part.digest
    lines = "".join(sorted(bindings)).encode("utf-8", "surrogatepass")
    return derive(_CONTEXT, part.digest + lines)


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
            *targets.order,
        }
    )
    if not meant:
        return None
    start = f"{origin.module} {origin.name or ''}" if origin else ""
    return f"\n{start}>{'.'.join(reference.chain)}={' '.join(meant)}"
