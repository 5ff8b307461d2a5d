"""The fingerprint of a stage: each symbol that its function can reach, with the symbol's hash."""

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from pivot.code.analysis import Node
from pivot.code.consulted import Consulted, all_asked, leads_elsewhere
from pivot.code.files import DataFiles
from pivot.code.findings import (
    EFFECTS,
    MODULE,
    SCHEME,
    Fingerprint,
    Kind,
    Location,
    Opaque,
    Reached,
)
from pivot.code.gathering import NOT_PACKAGES, Gatherer
from pivot.code.modules import Modules
from pivot.code.reach import Reach
from pivot.code.reading import Kept, Sources
from pivot.code.roots import find_extra, find_root
from pivot.code.sections import SectionedCode, fingerprint_of, sections_of
from pivot.code.sequence import find_orders, import_order
from pivot.code.source.facts import Module
from pivot.code.symbol_graph import Graph
from pivot.code.targets import SymbolId
from pivot.errors import DefinitionError
from pivot.hashing import ObjectId, derive, derive_json
from pivot.paths import RepoPath

__all__ = ["SCHEME", "Fingerprint", "Kind", "Location", "Opaque", "ProjectCode", "Sources"]

_MODULE_CONTEXT: Final = f"pivot module {SCHEME}"
_TEXTS_CONTEXT: Final = "pivot source texts 1"


class ProjectCode:
    """The sources of a project, parsed as far as fingerprints ask for them, and only once."""

    def __init__(
        self,
        sources: Sources,
        roots: Sequence[RepoPath],
        kept: Kept | None = None,
        outs: Collection[RepoPath] = (),
    ) -> None:
        """`roots` are the folders that modules are imported from, in the order of `sys.path`.

        `kept` is what earlier analyses left; without it all sources are read and parsed. `outs` are
        what stages write: results are none of the code, even where a module reads them.
        """
        self._modules = Modules(sources, roots, kept)
        self._files = DataFiles(self._modules, outs)
        self._graph = Graph(self._modules, self._files)
        self._gatherer = Gatherer(self._graph)
        self._consulted: dict[str, frozenset[str]] = {}
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self._whole: set[str] = set()

    def expect(self, entries: Iterable[str]) -> None:
        """Say which fingerprints will be asked for, so that many sources are parsed at once."""
        symbols = (symbol for entry in entries for symbol in entry.split(" "))
        self._modules.expect(dict.fromkeys(symbol.partition(":")[0] for symbol in symbols))

    def fingerprint(self, entry: str) -> Fingerprint:
        """The fingerprint of `package.module:qualname`, with the symbols that stand behind it.

        These, and all that they lead to, are reached too (see `Stage.entry`); `<module>` for a
        name is every one of a module. Raises `DefinitionError` where a symbol isn't found, or where
        a source that is needed has a syntax error.
        """
        return self._fingerprint(entry, self._graph)

    def _fingerprint(self, entry: str, graph: Graph) -> Fingerprint:
        symbol, *extra = entry.split(" ")
        root = find_root(self._modules, symbol)
        symbols, modules = find_extra(self._modules, symbol, extra)
        reach = Reach(graph)
        seen: set[str] = set()
        with self._modules.asking(seen):
            reach.follow(root, symbols, modules)
        seen.update(reach.modules)
        self._consulted[entry] = all_asked(seen, self._modules.asked)
        orders = find_orders(reach, root)
        quotes = reach.quotes
        if orders or quotes:
            self._whole.add(entry)
        gathered = self._gatherer.gather(reach, root, orders)
        return fingerprint_of(
            symbol,
            SectionedCode([one.section for one in gathered]),
            modules=frozenset().union(*(one.packages for one in gathered)),
            opaque=_sorted(found for one in gathered for found in one.opaque),
            runs=frozenset(n for n in reach.modules if self._modules.find(n) is not None),
            reads={entry: reads for one in gathered for entry, reads in one.reads.items()},
        )

    def text(self, root: str, names: Collection[str]) -> str:
        """The hash (64 hex digits) of how entries of a fingerprint are written in their files.

        It tells whether sources are those that a stage ran, also where the hashes in its lock were
        made by other rules: no normal form is in it. Lines count as they are, comments included;
        and the order in which importing the module of `root` runs them.
        """
        found = {name: self._text(name) for name in names}
        modules = {name.partition(":")[0] for name in names}
        start = root.partition(":")[0]
        order = import_order([start, *sorted(modules)], self._is_source, self._imports)
        self._modules.consult(order)
        places = {name: place for place, name in enumerate(order)}
        rows = sorted(
            [places.get(name.partition(":")[0], -1), line, name, *texts]
            for name, parts in found.items()
            for line, *texts in parts or [(0, "")]
        )
        return derive_json(_TEXTS_CONTEXT, [row[2:] for row in rows]).hex()

    def _is_source(self, name: str) -> bool:
        package = self._modules.find(name)
        return package is not None and package.file is not None

    def _imports(self, name: str) -> Iterable[str]:
        with contextlib.suppress(DefinitionError):
            return self._graph.imports.of(name)
        return ()

    def _text(self, name: str) -> list[tuple[int, str]]:
        """What stages have in common is worked out once."""
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = self._written(name)
        return found

    def _written(self, name: str) -> list[tuple[int, str]]:
        """Each part of an entry: its line, and how it is written; nothing where it isn't there."""
        dotted, _, symbol = name.partition(":")
        with contextlib.suppress(DefinitionError):
            module = self._modules.get(dotted)
            if module is None:
                return []
            if symbol not in (EFFECTS, MODULE, *module.symbols):
                return []
            nodes = self._nodes(module, symbol)
            found = [(n.location.line, " ".join([n.text.hex(), *n.files])) for n in nodes]
            names = _imported(module) if symbol == MODULE else b""
            return [*found, (0, names.decode())] if names else found
        return []

    def _refreshed(self, symbol: str, old: Fingerprint, modules: Collection[str]) -> Fingerprint:
        """A fingerprint after edits of modules that lead to what they led to before."""
        sections = sections_of(old)
        edited = [section for section in sections if section.module in modules]
        if not edited:
            return old
        if any(e.kind is Kind.EFFECTS for section in edited for e in section.entries):
            return self.fingerprint(symbol)  # which of them it reaches isn't known
        fresh = {section: self._gatherer.again(section) for section in edited}
        files = {e.location.file for section in edited for e in section.entries}
        opaque = {found for found in old.opaque if found.file not in files}
        opaque.update(found for one in fresh.values() for found in one.opaque)
        names = {entry.name for section in edited for entry in section.entries}
        reads = {name: read for name, read in old.reads.items() if name not in names}
        return fingerprint_of(
            old.root,
            SectionedCode([fresh[s].section if s in fresh else s for s in sections]),
            modules=old.modules,
            opaque=_sorted(opaque),
            runs=old.runs,
            reads=reads | {name: r for one in fresh.values() for name, r in one.reads.items()},
        )

    def update(
        self, before: Mapping[str, Fingerprint], ids: Mapping[str, ObjectId], last: Consulted
    ) -> dict[str, Fingerprint]:
        """Earlier fingerprints after edits; `ids` are what the edited modules had before.

        Only those are made anew that depend on a module which now leads elsewhere.
        """
        other = {name for name, id_ in ids.items() if self._leads_elsewhere(name, id_)}
        found: dict[str, Fingerprint] = {}
        for symbol, old in before.items():
            consulted = last.stages[symbol]
            is_whole = symbol in last.whole
            if not consulted.isdisjoint(ids if is_whole else other):
                found[symbol] = self.fingerprint(symbol)
                continue
            self._whole.update([symbol] if is_whole else [])
            self._consulted[symbol] = consulted
            is_edited = not consulted.isdisjoint(ids)
            found[symbol] = self._refreshed(symbol, old, ids.keys()) if is_edited else old
        return found

    def _leads_elsewhere(self, name: str, id_: ObjectId) -> bool:
        before, after = self._modules.earlier(name, id_), self._modules.get(name)
        return before is None or after is None or leads_elsewhere(before, after)

    def consulted(self, before: Consulted | None = None) -> Consulted:
        """What the fingerprints asked for depend on; with what was known `before`."""
        files = dict(before.files) if before is not None else {}
        for name in frozenset().union(*self._consulted.values()) - files.keys():
            package = self._modules.find(name)
            if package is not None and package.file is not None:
                files[name] = package.file
        # Who reads a source as data depends on more than what it leads to.
        files = {n: file for n, file in files.items() if file not in self._modules.read_as_data}
        names = self.names | (before.names if before is not None else frozenset())
        return Consulted(files, dict(self._consulted), names, frozenset(self._whole))

    def answer[T](self, ask: Callable[["ProjectCode"], T]) -> tuple[T, frozenset[RepoPath]]:
        """What `ask` finds out, and the files on which the answer depends, of those that exist."""
        seen: set[str] = set()
        with self._modules.asking(seen):
            found = ask(self)
        packages = map(self._modules.find, all_asked(seen, self._modules.asked))
        files = {package.file for package in packages if package is not None and package.file}
        data = {path for path in self._modules.read_as_data if self._modules.files.get(path)}
        return found, frozenset(files | data)

    def hashes(self, names: Iterable[str]) -> dict[str, str | None]:
        """The hash of each `package.module:name`, by itself, whether or not a stage reaches it.

        `<effects>` stands for all that a module does when it is imported, `<module>` for all of
        it. None where there is no such thing, or where its source can't be parsed.
        """
        found: dict[str, str | None] = {}
        for name in names:
            try:
                found[name] = self._hash(name)
            except DefinitionError:
                found[name] = None
        return found

    def _hash(self, name: str) -> str | None:
        dotted, _, symbol = name.partition(":")
        module = self._modules.get(dotted)
        if module is None:
            return None
        if symbol in (EFFECTS, MODULE):
            hashes = [node.hash for node in self._nodes(module, symbol)]
            names = _imported(module) if symbol == MODULE else b""
            return str(derive(_MODULE_CONTEXT, b"".join(hashes) + names))
        if symbol not in module.symbols:
            return None
        return self._graph.node(SymbolId(dotted, symbol)).value

    def _nodes(self, module: Module, name: str) -> list[Node]:
        """The nodes that a symbol of a module, all its effects, or all of it stand for."""
        if name not in (EFFECTS, MODULE):
            return [self._graph.node(SymbolId(module.place.module, name))]
        nodes = [self._graph.effect(module, i)[0] for i in range(len(module.effects))]
        if name == MODULE:
            symbols = (SymbolId(module.place.module, n) for n in sorted(module.symbols))
            nodes += map(self._graph.node, symbols)
        return nodes

    def externals(self, names: Iterable[str]) -> dict[str, frozenset[str]]:
        """The top-level names of modules from elsewhere that each of these symbols uses itself."""
        found: dict[str, frozenset[str]] = {}
        for name in names:
            dotted, _, symbol = name.partition(":")
            module = self._modules.get(dotted)
            if module is not None:
                used = (node.externals for node in self._nodes(module, symbol))
                found[name] = frozenset[str]().union(*used) - NOT_PACKAGES
        return found

    def reached(self, names: Iterable[str], *, heed: bool = True) -> Reached:
        """All that these symbols lead to.

        Names are as in `hashes`; those that are no symbol, or can't be parsed, lead nowhere.
        Without `heed`, symbols that a comment says to ignore lead on like any other.
        """
        graph = self._graph if heed else Graph(self._modules, self._files, heed=False)
        whole: dict[str, RepoPath] = {}
        outside: set[str] = set()
        parts: list[SymbolId] = []
        for name in names:
            dotted, _, symbol = name.partition(":")
            with contextlib.suppress(DefinitionError):
                module = self._modules.get(dotted)
                if module is not None and symbol in (EFFECTS, MODULE):
                    whole[name] = module.file
                    outside |= self._imported_from_outside(module)
                    parts += self._attributes(dotted)
                elif module is not None and symbol in module.symbols:
                    parts.append(SymbolId(dotted, symbol))
        runs = frozenset(name.partition(":")[0] for name in whole)
        return Reached(whole, runs, frozenset(outside)).joined(_lead(parts, graph))

    def _imported_from_outside(self, module: Module) -> frozenset[str]:
        """What importing a module imports, also where nothing uses it, and what its code does."""
        used = (node.externals for node in self._nodes(module, MODULE))
        return self.outside(
            {origin.module.partition(".")[0] for origin in module.runs}.union(*used)
        )

    def outside(self, names: Iterable[str]) -> frozenset[str]:
        """Those of some top-level names that neither the project nor Python has a module for."""
        return frozenset(n for n in names if self._modules.find(n) is None) - NOT_PACKAGES

    def _attributes(self, name: str) -> Iterator[SymbolId]:
        """The symbols that a module's attributes stand for, its own and those that it imports."""
        seen: set[str] = set()
        waiting: list[tuple[str, str | None]] = [(name, None)]
        while waiting:
            dotted, attribute = waiting.pop()
            module = self._modules.get(dotted)
            if module is None or f"{dotted}:{attribute}" in seen:
                continue
            seen.add(f"{dotted}:{attribute}")
            every = attribute is None
            yield from (SymbolId(dotted, n) for n in module.symbols if every or n == attribute)
            for imported, origins in module.imports.items():
                if every or imported == attribute:
                    waiting += ((o.module, o.name) for o in origins if o.name is not None)
            waiting += ((star, attribute) for star in module.stars)

    def symbols_at(self, places: Iterable[tuple[RepoPath, int]]) -> dict[tuple[RepoPath, int], str]:
        """The symbol, `package.module:name`, that each line (1-based) of a source stands in.

        Lines of no definition belong to `<module>`. Files that are no modules, or can't be parsed,
        are left out.
        """
        lines: dict[RepoPath, list[int]] = {}
        for file, line in places:
            lines.setdefault(file, []).append(line)
        found: dict[tuple[RepoPath, int], str] = {}
        for file, inside in lines.items():
            with contextlib.suppress(DefinitionError):
                module = self._modules.at(file)
                if module is not None:
                    name = module.place.module
                    for line in inside:
                        found[file, line] = f"{name}:{module.name_at(line) or MODULE}"
        return found

    @property
    def evidence(self) -> Mapping[RepoPath, ObjectId | None]:
        """Every file asked for so far: the id of what was read, None where nothing was there."""
        return self._modules.files

    @property
    def names(self) -> frozenset[str]:
        """Every dotted module name asked for so far, whether or not the project has it."""
        return self._modules.names

    @property
    def folders(self) -> Mapping[RepoPath, bool]:
        """Every directory asked for so far, and whether it was there."""
        return self._modules.folders

    @property
    def listings(self) -> Mapping[RepoPath, Sequence[str]]:
        """Every directory listed so far, and the names in it; see `Sources.names`."""
        return self._modules.listings


def _sorted(opaque: Iterable[Opaque]) -> tuple[Opaque, ...]:
    return tuple(sorted(set(opaque), key=lambda found: found.order))


def _lead(symbols: Sequence[SymbolId], graph: Graph) -> Reached:
    """What symbols lead to; those that need a source which can't be parsed lead nowhere."""
    if not symbols:
        return Reached()
    reach = Reach(graph)
    try:
        reach.follow(symbols[0], symbols[1:])
    except DefinitionError:
        found = Reached()
        for symbol in symbols if len(symbols) > 1 else ():
            found = found.joined(_lead([symbol], graph))
        return found
    graph.modules.consult(reach.modules)
    files = {str(symbol): node.location.file for symbol, node in reach.symbols.items()}
    for name, effects in reach.effects.items():
        files[f"{name}:{EFFECTS}"] = effects[min(effects)].location.file
    runs = frozenset(name for name in reach.modules if graph.modules.find(name) is not None)
    nodes = [*reach.symbols.values(), *(n for e in reach.effects.values() for n in e.values())]
    outside = frozenset[str]().union(*(node.externals for node in nodes)) - NOT_PACKAGES
    return Reached(files, runs, outside)


def _imported(module: Module) -> bytes:
    """What a module's imports give it: its attributes like all else that it defines."""
    rows = [
        [name, origin.module, origin.name]
        for name, origins in module.imports.items()
        for origin in origins
    ]
    if not rows and not module.stars:
        return b""
    value = [sorted(rows, key=lambda row: [text or "" for text in row]), list(module.stars)]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
