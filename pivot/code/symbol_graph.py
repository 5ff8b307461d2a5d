"""The project's symbols, what each leads to, and what importing its modules changes."""

from collections.abc import Iterable, Iterator

from pivot.code.analysis import Node, analyse, analyse_symbol, with_files
from pivot.code.files import DataFiles
from pivot.code.findings import Kind
from pivot.code.imports import Imports
from pivot.code.links import Links
from pivot.code.modules import Modules
from pivot.code.source.facts import Effect, Module, Part, Symbol, Trigger
from pivot.code.source.operations import names_meant
from pivot.code.source.sharing import applies, consumes
from pivot.code.source.statements import registers
from pivot.code.targets import SymbolId, Targets
from pivot.code.touches import Acts, Touch
from pivot.hashing import ObjectId


class Graph:
    """The project's symbols and what each leads to, worked out once, for all stages."""

    def __init__(self, modules: Modules, files: DataFiles, *, heed: bool = True) -> None:
        """`heed`: whether comments that say to ignore symbols count."""
        self.modules = modules
        self.imports = Imports(modules, self._loaded)
        self._files = files
        self._heed = heed
        self._links: dict[str, Links] = {}
        self._plain: dict[SymbolId, Node] = {}
        self._nodes: dict[SymbolId, Node] = {}
        self._effects: dict[tuple[str, int], tuple[Node, Touch]] = {}
        self._triggers: dict[tuple[str, int], Touch] = {}
        self._together: dict[str, dict[tuple[int, ObjectId], list[SymbolId]]] = {}
        self._actings: dict[SymbolId, frozenset[str]] = {}
        self._closures: dict[SymbolId, frozenset[SymbolId]] = {}
        self._loads: dict[SymbolId, tuple[str, ...]] = {}
        self._acts: dict[str, Acts] = {}

    def node(self, symbol: SymbolId) -> Node:
        node = self._nodes.get(symbol)
        if node is None:
            with self.modules.asking_for(symbol.module):
                node = self.plain(symbol)
                if not node.is_ignored:
                    part = self._facts(symbol).part
                    node = self._with_files(self.module(symbol.module), part, node)
            self._nodes[symbol] = node
        return node

    def plain(self, symbol: SymbolId) -> Node:
        """The node without the files that are read, which its hash has beside its code."""
        node = self._plain.get(symbol)
        if node is None:
            links = self._linked(self.module(symbol.module))
            with self.modules.asking_for(symbol.module):
                node = analyse_symbol(links, self._facts(symbol), heed=self._heed)
            self._plain[symbol] = node
        return node

    def _linked(self, module: Module) -> Links:
        name = module.place.module
        links = self._links.get(name)
        if links is None:
            links = self._links[name] = Links(self.modules, module)
        return links

    def _targets(self, module: Module, place: int) -> Targets:
        """What the reference at a place of a module stands for."""
        return self._linked(module).at(place).targets

    def _with_files(self, module: Module, part: Part, node: Node) -> Node:
        """Add the files that are read at import: by the code itself, and by what it calls."""
        if not (part.reads or part.opens or node.called or node.kind is Kind.CLASS):
            return node
        lines = self._files.read(module, part.reads)
        programs = self._files.programs(module, part.reads)
        called = self._run_by(node)
        for symbol in dict.fromkeys(part for c in called for part in self.closure(c)):
            later = self._facts(symbol).part.later
            caller = self.plain(symbol)
            if later and caller.kind is not Kind.CONSTANT and not caller.is_ignored:
                lines += self._files.read(self.module(symbol.module), later)
        lines += self._mentioned(module, part, node)
        lines += self._files.named_by(lines)
        return with_files(node, sorted(set(lines)), programs)

    def _run_by(self, node: Node) -> list[SymbolId]:
        """What runs when something is defined: what it calls, and the hooks of a class's bases."""
        hooks: list[SymbolId] = []
        if node.kind is Kind.CLASS:
            hooks = [s for s in node.symbols if self._facts(s).learns]
        return [*(c for c in node.called if self.plain(c).kind is not Kind.CONSTANT), *hooks]

    def _mentioned(self, module: Module, part: Part, node: Node) -> list[str]:
        """The files that code may mean which opens some at import, itself or by what it calls."""
        run = [*self._run_by(node), *node.called]
        reached = dict.fromkeys(s for c in run for s in self.closure(c))
        if not (part.opens or any(self._facts(s).part.opens_later for s in reached)):
            return []
        constants = (s for s in node.symbols if self.plain(s).kind is Kind.CONSTANT)
        reached.update(dict.fromkeys(c for s in constants for c in self.closure(s)))
        known = [s for s in reached if not self.plain(s).is_ignored]
        parts = [(self.module(s.module), self._facts(s).part) for s in known]
        return self._files.mentioned([(module, part), *parts])

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
                node = analyse(self._linked(module), effect.part, Kind.EFFECTS)
                node = self._with_files(module, effect.part, node)
                self._effects[key] = node, self._effect_touch(module, effect)
        return self._effects[key]

    def _effect_touch(self, module: Module, effect: Effect) -> Touch:
        if effect.touches is None:
            return Touch(frozenset(), always=True)
        symbols: set[SymbolId] = set()
        for reference in effect.touches:
            targets = self._targets(module, reference)
            if targets.externals or targets.modules or not targets.symbols:
                return Touch(frozenset(), always=True)
            symbols.update(targets.symbols)
        return Touch(self._with_parts(symbols))

    def _with_parts(self, symbols: Iterable[SymbolId]) -> frozenset[SymbolId]:
        """Objects, and those that they were made from: a change of one may be one of the other."""
        twins = (twin for symbol in symbols for twin in self._twins(symbol))
        every = {part for twin in twins for part in (twin, *self._constants(twin))}
        return frozenset(part for part in every if not self.plain(part).is_ignored)

    def _twins(self, symbol: SymbolId) -> list[SymbolId]:
        """The names that one statement binds, as in `put, get = make()`, to what may be shared."""
        if self.plain(symbol).kind is not Kind.CONSTANT:
            return [symbol]
        together = self._together.get(symbol.module)
        if together is None:
            together = self._together[symbol.module] = {}
            for name, found in self.module(symbol.module).symbols.items():
                each = SymbolId(symbol.module, name)
                together.setdefault((found.part.line, found.part.digest), []).append(each)
        part = self._facts(symbol).part
        return together[part.line, part.digest]

    def _constants(self, symbol: SymbolId) -> list[SymbolId]:
        if self.plain(symbol).kind is not Kind.CONSTANT:
            return []
        return [
            s
            for s in self.closure(symbol)
            if self.plain(s).kind is Kind.CONSTANT or self._facts(s).shares
        ]

    def trigger(self, module: Module, index: int) -> Touch:
        key = (module.place.module, index)
        if key not in self._triggers:
            with self.modules.asking_for(key[0]):
                self._triggers[key] = self._trigger_touch(module, module.triggers[index])
        return self._triggers[key]

    def _trigger_touch(self, module: Module, trigger: Trigger[int]) -> Touch:
        symbols: set[SymbolId] = set()
        bases: set[SymbolId | str] = set()
        always = False
        for reference in (*trigger.decorators, *trigger.bases, *trigger.calls):
            targets = self._targets(module, reference)
            is_decorator = reference in trigger.decorators
            if reference in trigger.bases:
                bases |= targets.externals
            names = module.references[reference].chain
            always |= bool(targets.externals) and is_decorator and registers(names)
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
        for reference in trigger.operands:
            name = module.references[reference].chain[-1:]
            for symbol, is_method in self._targets(module, reference).symbols.items():
                if is_method and self._notes(symbol, *name):
                    symbols |= self._with_parts([symbol]) | self._changes(symbol)[0]
        given, opened = self._given(module, trigger)
        symbols |= given
        always |= opened
        return Touch(frozenset(symbols), frozenset(bases), always)

    def _given(self, module: Module, trigger: Trigger[int]) -> tuple[set[SymbolId], bool]:
        """The objects that may be changed by what is called with them, and by what that calls.

        With whether a whole module may be.
        """
        changes = applied = False
        for reference in (*trigger.decorators, *trigger.bases, *trigger.calls):
            chain = module.references[reference].chain
            called = self._targets(module, reference).symbols
            changes |= any(self._fills(symbol) for symbol in called)
            if chain and not called:
                changes |= consumes(chain[-1], *chain[-2:-1])
                applied |= applies(chain[-1])
        found: set[SymbolId] = set()
        always = False
        if changes or applied:
            for argument in trigger.arguments:
                targets = self._targets(module, argument)
                always |= changes and bool(targets.modules)
                for symbol, is_method in targets.symbols.items():
                    kind = self.plain(symbol).kind
                    # What is applied may be a method: `map(TABLE.append, items)`.
                    is_applied = applied and is_method and kind is Kind.CONSTANT
                    if (changes and kind is not Kind.FUNCTION) or is_applied:
                        found |= self._with_parts([symbol])
                    if applied and kind is not Kind.CONSTANT:
                        found |= self._changes(symbol)[0]
        return found, always

    def _fills(self, symbol: SymbolId) -> bool:
        """Whether a function or class, with all that it uses, may change what it is given."""
        return any(self._facts(part).fills for part in self.closure(symbol))

    def _is_touched(self, symbol: SymbolId, *, is_decorator: bool, is_method: bool) -> bool:
        """Whether calling this, or a method of it, is taken to change it."""
        kind = self.plain(symbol).kind
        if is_decorator:
            return is_method or kind is Kind.CONSTANT
        if not is_method:
            return kind is Kind.CONSTANT and self._notes(symbol, "__call__")
        return kind is not Kind.CLASS

    def _notes(self, symbol: SymbolId, method: str) -> bool:
        """Whether a method of an object changes something though its name doesn't say so."""
        return not self._acting(symbol).isdisjoint(names_meant(method))

    def _acting(self, symbol: SymbolId) -> frozenset[str]:
        """The methods that do so of all classes which an object may be made by."""
        if symbol not in self._actings:
            plain = self.plain(symbol)
            parts = [symbol]
            if plain.kind is Kind.CONSTANT:
                classes = (s for s in self.closure(symbol) if self.plain(s).kind is Kind.CLASS)
                functions = (s for s in plain.called if self.plain(s).kind is Kind.FUNCTION)
                parts += [*classes, *functions]
            found = (self._facts(part).acting for part in parts)
            self._actings[symbol] = frozenset().union(*found)
        return self._actings[symbol]

    def _changes(self, symbol: SymbolId) -> tuple[set[SymbolId], bool]:
        """What a function or class, with all that it uses, may change when it is called."""
        changed: set[SymbolId] = set()
        outside = False
        for part in self.closure(symbol):
            node = self.plain(part)
            if node.kind is not Kind.CONSTANT:
                changed |= node.changes
                changed.update(c for s in node.changes for c in self._handed_out(s))
                changed.update(s for s, method in node.asked if self._notes(s, method))
                outside |= node.changes_outside
                facts = self._facts(part)
                if facts.shares and (facts.fills or node.kind is Kind.CLASS):
                    changed.add(part)
            elif self._facts(part).starts_empty:
                changed.add(part)
        return changed, outside

    def _handed_out(self, symbol: SymbolId) -> list[SymbolId]:
        """The objects that a function may give, one of which is changed: `table()["a"] = 1`."""
        if self.plain(symbol).kind is not Kind.FUNCTION:
            return []
        return [s for s in self.plain(symbol).symbols if self.plain(s).kind is Kind.CONSTANT]

    def _loaded(self, module: Module) -> Iterable[str]:
        """The modules that functions import which a module calls when it is imported."""
        parts = [symbol.part for symbol in module.symbols.values()]
        parts += [effect.part for effect in module.effects]
        every = dict.fromkeys(s for p in parts for s in self._linked(module).symbols(p.called))
        called = [symbol for symbol in every if self.plain(symbol).kind is not Kind.CONSTANT]
        return dict.fromkeys(run for symbol in called for run in self._loads_of(symbol))

    def _loads_of(self, symbol: SymbolId) -> tuple[str, ...]:
        found = self._loads.get(symbol)
        if found is None:
            runs = {run for part in self.closure(symbol) for run in self.plain(part).runs}
            found = self._loads[symbol] = tuple(sorted(runs))
        return found

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
            module, acts = self.modules.get(name), Acts((), ())
            if module is not None:
                acts = Acts(tuple(self._effect_acts(module)), tuple(self._trigger_acts(module)))
            self._acts[name] = acts
        return acts

    def _effect_acts(self, module: Module) -> Iterator[tuple[Module, int, Touch]]:
        every = ((module, i, self.effect(module, i)[1]) for i in range(len(module.effects)))
        return (act for act in every if act[2].may_matter)

    def _trigger_acts(self, module: Module) -> Iterator[tuple[SymbolId, Touch]]:
        for index, trigger in enumerate(module.triggers):
            touch = self.trigger(module, index)
            if touch.may_matter:
                yield SymbolId(module.place.module, trigger.name), touch

    def words(self, node: Node) -> Iterable[str]:
        """Names of modules that stand in the configurations which a node reads at import."""
        words = self._files.words(node.files) if node.files else ()
        return sorted(word for word in words if self.modules.find(word) is not None)

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
