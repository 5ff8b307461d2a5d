"""What a stage reaches, gathered in sections: each is made once for all stages that share it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import builtin_module_names, stdlib_module_names
from typing import Final, NamedTuple

from pivot.code.analysis import Node
from pivot.code.files import file_reads
from pivot.code.findings import EFFECTS, SCHEME, FileRead, Kind, Location, Opaque
from pivot.code.reach import Reach
from pivot.code.sections import ROOT, Entry, Section
from pivot.code.source.facts import Module
from pivot.code.symbol_graph import Graph
from pivot.code.targets import SymbolId
from pivot.hashing import derive

_PYTHON: Final = frozenset(stdlib_module_names) | frozenset(builtin_module_names)
NOT_PACKAGES: Final = _PYTHON | {"pivot", "__main__"}
_EFFECTS_CONTEXT: Final = f"pivot effects {SCHEME}"
_DOCS_CONTEXT: Final = f"pivot docs {SCHEME}"
_ORDER_CONTEXT: Final = f"pivot order {SCHEME}"


class Gathered(NamedTuple):
    """A section with what else a fingerprint has of its entries.

    Attributes:
        packages: top-level names of modules that come from neither the project nor Python.
        opaque: what couldn't be followed in it.
        reads: the files that importing an entry's module reads for it, if any.
    """

    section: Section
    packages: frozenset[str]
    opaque: frozenset[Opaque]
    reads: Mapping[str, tuple[FileRead, ...]]


class _Effects(NamedTuple):
    """What a stage reaches of what a module does when it is imported.

    Attributes:
        places: of the effects, in source order.
        order: in which order others change what the module has, if that matters.
        via: see `Entry`.
    """

    places: tuple[int, ...]
    order: str
    via: str


class Gatherer:
    """Makes the sections of what stages reach."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._made: dict[tuple[object, ...], Gathered] = {}
        self._again: dict[Section, Gathered] = {}

    def gather(self, reach: Reach, root: SymbolId, orders: Mapping[str, str]) -> list[Gathered]:
        """The sections of what `root` reaches; see `find_orders`. The first is its own."""
        via = reach.via
        symbols: dict[str, list[SymbolId]] = {}
        for symbol in reach.symbols:
            symbols.setdefault(symbol.module, []).append(symbol)
        symbols[root.module].remove(root)
        effects = dict(self._effects(reach, root, orders))
        found = [self._gathered(root.module, (root,), (None,), None, quotes=reach.quotes)]
        for module in dict.fromkeys((*symbols, *effects)):
            names = tuple(symbols.get(module, ()))
            before = tuple([ROOT if via[name] == root else via[name] for name in names])
            if names or module in effects:
                done = effects.get(module)
                found.append(self._gathered(module, names, before, done, quotes=reach.quotes))
        return found

    def again(self, section: Section) -> Gathered:
        """An earlier section without effects, after an edit that lets it lead to the same."""
        made = self._again.get(section)
        if made is None:
            names = (entry.name.partition(":")[2] for entry in section.entries)
            symbols = [SymbolId(section.module, name) for name in names]
            via = (entry.via for entry in section.entries)
            made = self._make(section.module, zip(symbols, via, strict=True), None, quotes=False)
            self._again[section] = made
        return made

    def _effects(
        self, reach: Reach, root: SymbolId, orders: Mapping[str, str]
    ) -> Iterator[tuple[str, _Effects]]:
        """The effects that count, by module; none of its own where others change what it has."""
        for module in dict.fromkeys((*reach.effects, *(e.partition(":")[0] for e in orders))):
            entry = f"{module}:{EFFECTS}"
            places = tuple(sorted(reach.effects.get(module, ())))
            if not places and reach.symbols[root].is_ignored:
                continue
            via = reach.via.get(entry, ROOT)
            yield module, _Effects(places, orders.get(entry, ""), ROOT if via == root else via)

    def _gathered(
        self,
        module: str,
        symbols: tuple[SymbolId, ...],
        via: tuple[str | None, ...],
        effects: _Effects | None,
        *,
        quotes: bool,
    ) -> Gathered:
        key = (module, symbols, via, effects, quotes)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(
                module, zip(symbols, via, strict=True), effects, quotes=quotes
            )
        return made

    def _make(
        self,
        module: str,
        symbols: Iterable[tuple[SymbolId, str | None]],
        effects: _Effects | None,
        *,
        quotes: bool,
    ) -> Gathered:
        entries: list[Entry] = []
        reads: dict[str, Iterable[str]] = {}
        packages: set[str] = set()
        opaque: set[Opaque] = set()
        for symbol, via in symbols:
            node, name = self._graph.node(symbol), str(symbol)
            hash_ = _with_docs(node.value, node) if quotes else node.value
            entries.append(Entry(name, hash_, node.location, node.kind, via))
            packages |= node.externals
            opaque.update(node.opaque)
            reads[name] = node.files
        if effects is not None:
            facts = self._graph.module(module)
            nodes = [self._graph.effect(facts, place)[0] for place in effects.places]
            entries.append(_entry(facts, nodes, effects, quotes=quotes))
            packages.update(*(node.externals for node in nodes))
            opaque.update(*(node.opaque for node in nodes))
            reads[entries[-1].name] = sorted({line for node in nodes for line in node.files})
        return Gathered(
            Section.of(entries),
            frozenset(packages - NOT_PACKAGES),
            frozenset(opaque),
            {name: file_reads(lines) for name, lines in reads.items() if lines},
        )


def _with_docs(hash_: str, node: Node) -> str:
    """The hash of an entry where docstrings may be read."""
    if not node.docs or node.is_ignored:
        return hash_
    return str(derive(_DOCS_CONTEXT, f"{hash_}{node.docs}".encode()))


def _entry(module: Module, nodes: Sequence[Node], effects: _Effects, *, quotes: bool) -> Entry:
    """A module's effects as one entry: the first one's place, a joint hash."""
    hash_ = str(derive(_EFFECTS_CONTEXT, b"".join(n.hash for n in nodes))) if nodes else ""
    if nodes and quotes:
        hash_ = _with_docs(hash_, nodes[0])
    if effects.order:
        text = f"{hash_}{effects.order}".encode("utf-8", "surrogatepass")
        hash_ = str(derive(_ORDER_CONTEXT, text))
    name = f"{module.place.module}:{EFFECTS}"
    location = nodes[0].location if nodes else Location(module.file, 1)
    return Entry(name, hash_, location, Kind.EFFECTS, effects.via)
