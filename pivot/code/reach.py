"""Everything that one stage's function may run: symbols by name, and effects of what is imported.

A module that a reached symbol stands in, or imports, runs from top to bottom. So its effects
count; those that only change objects of the project count once one of these objects is reached.
That is how handlers which register themselves somewhere else are found.
"""

from collections import deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from pivot.code.analysis import Node, analyse, analyse_symbol, with_files
from pivot.code.facts import Effect, Module, Part, Symbol, Trigger
from pivot.code.files import DataFiles
from pivot.code.findings import EFFECTS, Kind, Opaque
from pivot.code.references import Reference
from pivot.code.resolve import Modules, SymbolId, parents
from pivot.code.scopes import Origin


@dataclass(frozen=True, slots=True)
class Touch:
    """What something done at import may change.

    Attributes:
        symbols: project symbols; it matters to whoever reaches one of them.
        bases: classes that it derives from; it matters to whoever asks for their subclasses.
        always: it changes what can't be told, so it matters to everyone.
    """

    symbols: frozenset[SymbolId]
    bases: frozenset[SymbolId] = frozenset()
    always: bool = False

    @property
    def may_matter(self) -> bool:
        return self.always or bool(self.symbols) or bool(self.bases)


@dataclass(frozen=True, slots=True)
class Acts:
    """What modules do when they are imported, as far as it can matter to anybody.

    Attributes:
        effects: module, place in it, and what the effect may change; in the order of running.
        triggers: the same.
    """

    effects: tuple[tuple[Module, int, Touch], ...]
    triggers: tuple[tuple[Module, int, Touch], ...]


class Graph:
    """The project's symbols and what each leads to, worked out once, for all stages."""

    def __init__(self, modules: Modules, files: DataFiles, *, heed: bool = True) -> None:
        """`heed`: whether comments that say to ignore symbols count."""
        self.modules = modules
        self._files = files
        self._heed = heed
        self._plain: dict[SymbolId, Node] = {}
        self._nodes: dict[SymbolId, Node] = {}
        self._effects: dict[tuple[str, int], tuple[Node, Touch]] = {}
        self._triggers: dict[tuple[str, int], Touch] = {}
        self._closures: dict[SymbolId, frozenset[SymbolId]] = {}
        self._loads: dict[SymbolId, tuple[str, ...]] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._runs: dict[str, tuple[str, ...]] = {}
        self._acts: dict[str, Acts] = {}

    def node(self, symbol: SymbolId) -> Node:
        node = self._nodes.get(symbol)
        if node is None:
            module = self.module(symbol.module)
            with self.modules.asking_for(symbol.module):
                node = self.plain(symbol)
                if not node.is_ignored:
                    node = self._with_files(module, module.symbols[symbol.name].part, node)
            self._nodes[symbol] = node
        return node

    def plain(self, symbol: SymbolId) -> Node:
        """The node without the files that are read, which its hash has beside its code."""
        node = self._plain.get(symbol)
        if node is None:
            module = self.module(symbol.module)
            found = module.symbols[symbol.name]
            node = analyse_symbol(self.modules, module, found, heed=self._heed)
            self._plain[symbol] = node
        return node

    def _with_files(self, module: Module, part: Part, node: Node) -> Node:
        """Add the files that are read at import: by the code itself, and by what it calls."""
        lines = self._files.read(module, part.reads)
        called = (s for s in node.called if self.plain(s).kind is not Kind.CONSTANT)
        for symbol in dict.fromkeys(part for c in called for part in self.closure(c)):
            later = self._facts(symbol).part.later
            caller = self.plain(symbol)
            if later and caller.kind is not Kind.CONSTANT and not caller.is_ignored:
                lines += self._files.read(self.module(symbol.module), later)
        return with_files(node, sorted(set(lines)))

    def module(self, name: str) -> Module:
        module = self.modules.get(name)
        if module is None:
            raise KeyError(name)
        return module

    def effect(self, module: Module, index: int) -> tuple[Node, Touch]:
        key = (module.place.module, index)
        if key not in self._effects:
            effect = module.effects[index]
            with self.modules.asking_for(key[0]):
                node = analyse(self.modules, module, effect.part, Kind.EFFECTS)
                node = self._with_files(module, effect.part, node)
                self._effects[key] = node, self._effect_touch(module, effect)
        return self._effects[key]

    def _effect_touch(self, module: Module, effect: Effect) -> Touch:
        if effect.touches is None:
            return Touch(frozenset(), always=True)
        symbols: set[SymbolId] = set()
        for reference in effect.touches:
            targets = self.modules.targets(module, reference)
            if targets.externals or targets.modules or not targets.symbols:
                return Touch(frozenset(), always=True)
            symbols.update(targets.symbols)
        return Touch(self._with_parts(symbols))

    def _with_parts(self, symbols: Iterable[SymbolId]) -> frozenset[SymbolId]:
        """Objects, and those that they were made from: a change of one may be one of the other."""
        every = {part for symbol in symbols for part in (symbol, *self._constants(symbol))}
        return frozenset(part for part in every if not self.plain(part).is_ignored)

    def _constants(self, symbol: SymbolId) -> list[SymbolId]:
        if self.plain(symbol).kind is not Kind.CONSTANT:
            return []
        return [s for s in self.closure(symbol) if self.plain(s).kind is Kind.CONSTANT]

    def trigger(self, module: Module, index: int) -> Touch:
        key = (module.place.module, index)
        if key not in self._triggers:
            with self.modules.asking_for(key[0]):
                self._triggers[key] = self._trigger_touch(module, module.triggers[index])
        return self._triggers[key]

    def _trigger_touch(self, module: Module, trigger: Trigger) -> Touch:
        symbols: set[SymbolId] = set()
        bases: set[SymbolId] = set()
        always = False
        for reference in (*trigger.decorators, *trigger.bases, *trigger.calls):
            targets = self.modules.targets(module, reference)
            is_decorator = reference in trigger.decorators
            for symbol, is_method in targets.symbols.items():
                if self._is_touched(symbol, is_decorator=is_decorator, is_method=is_method):
                    symbols |= self._with_parts([symbol])
                if reference in trigger.bases:
                    classes = self._classes(symbol)
                    bases |= classes
                    hooks = {c for c in classes if self._facts(c).learns}
                    symbols |= hooks
                    if classes and not hooks and reference not in trigger.calls:
                        continue  # deriving from a class calls nothing of it
                changed, outside = self._changes(symbol)
                symbols |= changed
                always |= outside
        return Touch(frozenset(symbols), frozenset(bases), always)

    def _is_touched(self, symbol: SymbolId, *, is_decorator: bool, is_method: bool) -> bool:
        """Whether calling this, or a method of it, is taken to change it."""
        kind = self.plain(symbol).kind
        if is_decorator:
            return is_method or kind is Kind.CONSTANT
        return is_method and kind is not Kind.CLASS

    def _changes(self, symbol: SymbolId) -> tuple[set[SymbolId], bool]:
        """What a function or class, with all that it uses, may change when it is called."""
        changed: set[SymbolId] = set()
        outside = False
        for part in self.closure(symbol):
            node = self.plain(part)
            if node.kind is not Kind.CONSTANT:
                changed |= node.changes
                outside |= node.changes_outside
            elif self._facts(part).starts_empty:
                changed.add(part)
        return changed, outside

    def _loaded(self, module: Module) -> Iterable[str]:
        """The modules that functions import which a module calls when it is imported."""
        parts = [symbol.part for symbol in module.symbols.values()]
        parts += [effect.part for effect in module.effects]
        called = {s: None for p in parts for i in p.called for s in self._called(module, i)}
        return dict.fromkeys(run for symbol in called for run in self._loads_of(symbol))

    def _loads_of(self, symbol: SymbolId) -> tuple[str, ...]:
        found = self._loads.get(symbol)
        if found is None:
            runs = {run for part in self.closure(symbol) for run in self.plain(part).runs}
            found = self._loads[symbol] = tuple(sorted(runs))
        return found

    def _called(self, module: Module, reference: int) -> Iterable[SymbolId]:
        found = self.modules.targets(module, reference).symbols
        return (s for s in found if self.plain(s).kind is not Kind.CONSTANT)

    def _facts(self, symbol: SymbolId) -> Symbol:
        return self.module(symbol.module).symbols[symbol.name]

    def _classes(self, symbol: SymbolId) -> set[SymbolId]:
        """A class with the project classes that it mentions; nothing for what isn't a class."""
        found: set[SymbolId] = set()
        stack = [symbol]
        while stack:
            part = stack.pop()
            if part not in found and self.plain(part).kind is Kind.CLASS:
                found.add(part)
                stack += self.plain(part).symbols
        return found

    def acts(self, name: str) -> Acts:
        """What a module does when it is imported."""
        acts = self._acts.get(name)
        if acts is None:
            module = self.modules.get(name)
            effects = [] if module is None else list(self._effect_acts(module))
            triggers = [] if module is None else list(self._trigger_acts(module))
            acts = self._acts[name] = Acts(tuple(effects), tuple(triggers))
        return acts

    def _effect_acts(self, module: Module) -> Iterator[tuple[Module, int, Touch]]:
        for index in range(len(module.effects)):
            _, touch = self.effect(module, index)
            if touch.may_matter:
                yield module, index, touch

    def _trigger_acts(self, module: Module) -> Iterator[tuple[Module, int, Touch]]:
        for index in range(len(module.triggers)):
            touch = self.trigger(module, index)
            if touch.may_matter:
                yield module, index, touch

    def imports(self, name: str) -> tuple[str, ...]:
        """The project modules that import statements of a module run."""
        found = self._imports.get(name)
        if found is None:
            module = self.modules.get(name)
            every = [] if module is None else [*map(self._imported, module.runs)]
            if module is not None:
                every += self._loaded(module)
            found = self._imports[name] = tuple(n for n in every if n is not None)
        return found

    def _imported(self, origin: Origin) -> str | None:
        """The project module that an import statement runs, if it is one."""
        name = origin.module if origin.name is None else f"{origin.module}.{origin.name}"
        return name if self.modules.find(name) else None

    def run_by(self, name: str) -> tuple[str, ...]:
        """All modules that run when one is imported: its parents, and what all of them import."""
        found = self._runs.get(name)
        if found is None:
            found = self._runs[name] = tuple(self.run_beside(name, frozenset()))
        return found

    def run_beside(self, name: str, running: Container[str]) -> dict[str, None]:
        """The modules that run when one is imported where some run already, in order."""
        found: dict[str, None] = {}
        stack = [name]
        while stack:
            for part in parents(stack.pop()):
                if part not in running and part not in found:
                    found[part] = None
                    stack += self.imports(part)
        return found

    def closure(self, symbol: SymbolId) -> frozenset[SymbolId]:
        """All symbols that `symbol` leads to by name, itself included."""
        if symbol not in self._closures:
            found: dict[SymbolId, None] = {}
            stack = [symbol]
            while stack:
                part = stack.pop()
                if part not in found:
                    found[part] = None
                    stack += self.plain(part).symbols
            self._closures[symbol] = frozenset(found)
        return self._closures[symbol]


@dataclass(slots=True)
class Reach:
    """What one root reaches; filled by `follow`.

    Attributes:
        symbols: reached symbols with their nodes.
        effects: per module, the reached effects by their place in it.
        modules: modules that run, each with the entry that makes it run.
        via: each reached entry, as text, with the one that it was first reached from.
        opaque: what couldn't be followed.
    """

    graph: Graph
    symbols: dict[SymbolId, Node] = field(default_factory=dict)
    effects: dict[str, dict[int, Node]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    via: dict[str, str] = field(default_factory=dict)
    opaque: set[Opaque] = field(default_factory=set)
    _queue: deque[SymbolId] = field(default_factory=deque)
    _watched: set[SymbolId] = field(default_factory=set)
    _watches_all: bool = False
    _widened: set[str] = field(default_factory=set)
    _reached: set[SymbolId] = field(default_factory=set)
    _effects_left: list[tuple[Module, int, Touch]] = field(default_factory=list)
    _triggers_left: list[tuple[Module, int, Touch]] = field(default_factory=list)

    def follow(
        self, root: SymbolId, symbols: Iterable[SymbolId] = (), modules: Iterable[str] = ()
    ) -> None:
        """Reach everything from `root` on, until nothing more is found.

        As if it used these symbols and modules, too.
        """
        self._queue.append(root)
        self._reach(symbols, str(root))
        for module in modules:
            self._widen(module, str(root))
        more = True
        while more:
            while self._queue:
                self._symbol(self._queue.popleft())
            more = self._settle()
        del self.via[str(root)]

    def _symbol(self, symbol: SymbolId) -> None:
        if symbol in self.symbols:
            return
        node = self.graph.node(symbol)
        self.symbols[symbol] = node
        self._reached.add(symbol)
        name = str(symbol)
        self.via.setdefault(name, name)
        self._run(symbol.module, name)
        self._lead(node, name)

    def _reach(self, symbols: Iterable[SymbolId], origin: str) -> None:
        for symbol in symbols:
            if symbol not in self.symbols:
                self.via.setdefault(str(symbol), origin)
                self._queue.append(symbol)

    def _lead(self, node: Node, name: str) -> None:
        """Go on to all that the entry `name` leads to."""
        self._reach(node.symbols, name)
        self._watched |= node.watches
        self._watches_all |= node.watches_all
        self.opaque.update(node.opaque)
        for module in node.runs:
            self._run(module, name)
        for module in node.widens:
            self._widen(module, name)

    def _run(self, name: str, origin: str) -> None:
        """Note that a module is imported, with its parents and all that they import."""
        if name in self.modules:
            return
        graph = self.graph
        fresh = graph.run_beside(name, self.modules) if self.modules else graph.run_by(name)
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
        found = False
        effects, self._effects_left = self._effects_left, []
        for module, index, touch in effects:
            if self._matters(touch):
                name = module.place.module
                entry = f"{name}:{EFFECTS}"
                node, _ = self.graph.effect(module, index)
                self.effects.setdefault(name, {})[index] = node
                self.via.setdefault(entry, self._cause(touch, name))
                self._lead(node, entry)
                found = True
            else:
                self._effects_left.append((module, index, touch))
        triggers, self._triggers_left = self._triggers_left, []
        for module, index, touch in triggers:
            symbol = SymbolId(module.place.module, module.triggers[index].name)
            if symbol in self.symbols:
                continue
            if self._matters(touch):
                self._reach([symbol], self._cause(touch, symbol.module))
                found = True
            else:
                self._triggers_left.append((module, index, touch))
        return found

    def _cause(self, touch: Touch, module: str) -> str:
        """What makes something done at import matter: an object that it changes, or the import."""
        touched = touch.symbols & self._reached or touch.bases & self._watched
        return self.modules[module] if touch.always or not touched else str(min(touched))

    def _matters(self, touch: Touch) -> bool:
        return (
            touch.always
            or not touch.symbols.isdisjoint(self._reached)
            or not touch.bases.isdisjoint(self._watched)
            or (self._watches_all and not touch.bases.isdisjoint(self.symbols))
        )
