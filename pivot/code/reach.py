"""Everything that one stage's function may run: symbols by name, and effects of what is imported.

A module that a reached symbol stands in, or imports, runs from top to bottom. So its effects
count; those that only change objects of the project count once one of these objects is reached.
That is how handlers which register themselves somewhere else are found.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pivot.code.analysis import Node, find_named
from pivot.code.findings import EFFECTS, Kind
from pivot.code.source.facts import Module
from pivot.code.source.uses import Reference
from pivot.code.symbol_graph import Graph
from pivot.code.targets import SymbolId
from pivot.code.touches import Touch

_STEPS: Final = 2  # functions between what is given a name and what imports by it
# Modules that code finds the modules of a package with.
_LISTING: Final = frozenset({"pkgutil", "os", "glob", "pathlib", "importlib_resources"})


@dataclass(slots=True)
class Reach:
    """What one root reaches; filled by `follow`.

    Attributes:
        symbols: reached symbols with their nodes.
        effects: per module, the reached effects by their place in it.
        modules: modules that run, each with the entry that makes it run.
        via: each reached entry, as text, with the one that it was first reached from.
        quotes: docstrings may be read.
    """

    graph: Graph
    symbols: dict[SymbolId, Node] = field(default_factory=dict)
    effects: dict[str, dict[int, Node]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    via: dict[str, str] = field(default_factory=dict)
    quotes: bool = False
    _queue: deque[SymbolId] = field(default_factory=deque)
    _watched: set[SymbolId | str] = field(default_factory=set)
    _watches_all: bool = False
    _texts: dict[str, str] = field(default_factory=dict)
    _given: dict[str, str] = field(default_factory=dict)
    _computes: bool = False
    _named: set[str] = field(default_factory=set)
    _widened: set[str] = field(default_factory=set)
    _effects_left: list[tuple[Module, int, Touch]] = field(default_factory=list)
    _triggers_left: list[tuple[SymbolId, Touch]] = field(default_factory=list)

    def follow(
        self, root: SymbolId, symbols: Iterable[SymbolId] = (), modules: Iterable[str] = ()
    ) -> None:
        """Reach everything from `root` on, until nothing more is found.

        As if it used these symbols and modules, too.
        """
        self.via[root] = root
        self._queue.append(root)
        self._reach(symbols, root)
        for module in modules:
            self._widen(module, root)
        more = True
        while more:
            self._reach_waiting()
            more = self._settle()
        del self.via[root]

    def _reach_waiting(self) -> None:
        """Go through the symbols that wait, and all that they lead to by name."""
        symbols, modules, via, queue = self.symbols, self.modules, self.via, self._queue
        node_of = self.graph.node
        while queue:
            symbol = queue.popleft()
            node = symbols[symbol] = node_of(symbol)
            if symbol.module not in modules:
                self._run(symbol.module, symbol)
            for used in node.symbols:
                if used not in via:
                    via[used] = symbol
                    queue.append(used)
            if node.is_wide:
                self._lead(node, symbol)

    def _reach(self, symbols: Iterable[SymbolId], origin: str) -> None:
        for symbol in symbols:
            if symbol not in self.via:
                self.via[symbol] = origin
                self._queue.append(symbol)

    def _lead(self, node: Node, name: str) -> None:
        """Go on to what the entry `name` leads to beside the symbols that it uses."""
        self._watched |= node.watches
        self._watches_all |= node.watches_all
        self._texts.update(dict.fromkeys(node.texts, name))
        self._given.update(dict.fromkeys(node.named, name))
        self._computes |= node.computes
        self.quotes |= node.quotes
        for module in node.runs:
            self._run(module, name)
        for module in node.widens:
            self._widen(module, name)

    def _run(self, name: str, origin: str) -> None:
        """Note that a module is imported, with its parents and all that they import."""
        if name in self.modules:
            return
        graph = self.graph
        imports = graph.imports
        fresh = imports.run_beside(name, self.modules) if self.modules else imports.run_by(name)
        self.modules.update(dict.fromkeys(fresh, origin))
        for part in fresh:
            acts = graph.acts(part)
            self._effects_left += acts.effects
            self._triggers_left += acts.triggers

    def _widen(self, name: str, origin: str) -> None:
        """Reach every name of a module."""
        module = self.graph.modules.get(name)
        if module is None or name in self._widened:
            return
        self._widened.add(name)
        self._run(name, origin)
        self._reach((SymbolId(name, symbol) for symbol in module.symbols), origin)
        for origins in module.imports.values():
            for imported in origins:
                reference = Reference((), 0, imported, runs_only=True)
                self._reach(self.graph.modules.resolve(module, reference).symbols, origin)
        for star in module.stars:
            self._widen(star, origin)

    def _settle(self) -> bool:
        """Reach what modules that run do to objects that are reached by now; false if nothing."""
        self._follow_names()
        if self._computes:
            self._follow_texts()
            self._follow_words()
        found = False
        effects, self._effects_left = self._effects_left, []
        for module, index, touch in effects:
            if self._matters(touch):
                name = module.place.module
                entry = f"{name}:{EFFECTS}"
                node, _ = self.graph.effect(module, index)
                self.effects.setdefault(name, {})[index] = node
                self.via.setdefault(entry, self._cause(touch, name))
                self._reach(node.symbols, entry)
                self._lead(node, entry)
                found = True
            else:
                self._effects_left.append((module, index, touch))
        triggers, self._triggers_left = self._triggers_left, []
        for symbol, touch in triggers:
            if symbol in self.symbols:
                continue
            if self._matters(touch):
                self._reach([symbol], self._cause(touch, symbol.module))
                found = True
            else:
                self._triggers_left.append((symbol, touch))
        return found or bool(self._queue)

    def _follow_texts(self) -> None:
        """Reach what dotted texts name, since something imports by computed names."""
        texts, self._texts = self._texts, {}
        for text, origin in texts.items():
            targets = find_named(self.graph.modules, text)
            self._reach(targets.symbols, origin)
            for name in targets.modules:
                self._widen(name, origin)

    def _follow_names(self) -> None:
        """Reach the functions and classes that libraries are given by dotted texts."""
        texts, self._given = self._given, {}
        for text, origin in texts.items():
            self._reach(find_named(self.graph.modules, text).symbols, origin)

    def _follow_words(self) -> None:
        """Reach the modules that what imports by computed names is given the plain names of."""
        leading = self._leading()
        effects = [(f"{m}:{EFFECTS}", n) for m, ns in self.effects.items() for n in ns.values()]
        for name, node in [*self.symbols.items(), *effects]:
            for callee, word in node.given:
                if callee in leading:
                    self._follow_word(word, self.symbols[callee], name)
            users = (name, *node.symbols)
            callees = [s for s in leading.intersection(users) if not self._is_constant(s)]
            if callees or node.computes:
                by = self.symbols[min(callees)] if callees else node
                for word in self._listed(node):
                    self._follow_word(word, by, name)

    def _listed(self, node: Node) -> Iterator[str]:
        """Plain names in what a node lists or reads, and in the constants that it uses."""
        for each in (node, *(self.symbols[s] for s in node.symbols if s in self.symbols)):
            yield from each.words
            yield from self.graph.words(each)

    def _follow_word(self, word: str, by: Node, origin: str) -> None:
        """Reach a module, if there is one of this name, that `by` may import."""
        graph = self.graph
        if word in self._named or graph.modules.find(word) is None:
            return
        self._named.add(word)
        near = [by, *(graph.plain(symbol) for symbol in by.symbols)]
        self._widen(word, origin)
        if any(not _LISTING.isdisjoint(node.externals) for node in near):
            for module in graph.modules.within(word):
                self._widen(module, origin)

    def _leading(self) -> set[SymbolId]:
        """What imports by computed names, and what does so by functions that it calls itself."""
        users: dict[SymbolId, list[SymbolId]] = {}
        for symbol, node in self.symbols.items():
            for used in node.symbols:
                users.setdefault(used, []).append(symbol)
        found = {symbol for symbol, node in self.symbols.items() if node.computes}
        for _ in range(_STEPS):
            callers = [symbol for symbol in found if not self._is_constant(symbol)]
            found |= {user for symbol in callers for user in users.get(symbol, ())}
        return found

    def _is_constant(self, symbol: SymbolId) -> bool:
        return self.symbols[symbol].kind is Kind.CONSTANT

    def _cause(self, touch: Touch, module: str) -> str:
        """What makes something done at import matter: an object that it changes, or the import."""
        touched = touch.symbols & self.symbols.keys() or touch.bases & self._watched
        return self.modules[module] if touch.always or not touched else str(min(touched))

    def _matters(self, touch: Touch) -> bool:
        return (
            touch.always
            or not self.symbols.keys().isdisjoint(touch.symbols)
            or not touch.bases.isdisjoint(self._watched)
            or (self._watches_all and any(base in self.symbols for base in touch.bases))
        )
