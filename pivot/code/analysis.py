"""One symbol or effect by itself: its hash, and what it leads to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pivot.code.facts import Module, Part, Symbol
from pivot.code.findings import IGNORED, SCHEME, Kind, Location, Opaque
from pivot.code.reflection import ANY
from pivot.code.resolve import Modules
from pivot.code.scopes import Origin
from pivot.code.targets import SymbolId, Targets
from pivot.code.uses import COMPUTED_IMPORT, COMPUTED_MODULE, SUBCLASSES, Reference
from pivot.hashing import ObjectId, derive

_CONTEXT: Final = f"pivot symbol {SCHEME}"
_COMPUTED: Final = frozenset({COMPUTED_IMPORT, COMPUTED_MODULE})
_FILES_CONTEXT: Final = f"pivot files {SCHEME}"
_TEXT_CONTEXT: Final = "pivot symbol text 1"
_IGNORED: Final = derive(_CONTEXT, IGNORED.encode())
_IGNORED_TEXT: Final = derive(_TEXT_CONTEXT, IGNORED.encode())

# A reference's place among the module's, the line where it stands, and what it stands for.
type _Found = tuple[int, int, Targets]


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of one symbol, or one effect, whatever stage reaches it.

    Attributes:
        hash: of its own normal form and of what its free names stand for.
        text: the same, but of how it is written instead of its normal form.
        kind: see `Kind`.
        location: of its first definition.
        symbols: project symbols that it uses.
        runs: project modules that it makes run, not counting parents.
        widens: modules of which it may use any name.
        externals: top-level names of modules outside the project.
        changes: project symbols that it may change when it runs.
        asked: project objects of which it calls a method that seems only to read, and its name.
        changes_outside: it sets attributes or items of things outside the project.
        watches: classes whose subclasses it looks for, those outside as their modules' names;
            `watches_all`: of any class.
        texts: literals that may name a module, or something in one.
        given: what it calls, with each plain name that it gives to it as a text.
        words: plain names among the texts that a constant lists.
        named: those of `texts` that something is given, or that stand in tables.
        quotes: it reads docstrings.
        docs: hash of its own docstrings, and of its module's if it reads any; empty for none.
        computes: it imports by names that only a run knows.
        called: project symbols that it calls when its module is imported.
        opaque: what couldn't be followed.
        is_ignored: a comment says that it doesn't count.
        files: what the files hold that it reads at import; see `DataFiles.read`.
    """

    hash: ObjectId
    text: ObjectId
    kind: Kind
    location: Location
    symbols: tuple[SymbolId, ...]
    runs: tuple[str, ...]
    widens: tuple[str, ...]
    externals: frozenset[str]
    changes: frozenset[SymbolId]
    asked: frozenset[tuple[SymbolId, str]]
    changes_outside: bool
    watches: frozenset[SymbolId | str]
    watches_all: bool
    texts: tuple[str, ...]
    given: tuple[tuple[SymbolId, str], ...]
    words: tuple[str, ...]
    named: tuple[str, ...]
    quotes: bool
    docs: str
    computes: bool
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
    bindings = _bindings(module, found)
    if part.lists:
        bindings |= {_listed(modules, name) for target in targets for name in target.modules}
    return Node(
        hash=_joined(_CONTEXT, part.digest, bindings),
        text=_joined(_TEXT_CONTEXT, part.text, bindings),
        kind=kind,
        location=Location(module.file, part.line),
        symbols=tuple(dict.fromkeys(s for t in targets for s in t.symbols)),
        runs=tuple(dict.fromkeys(m for t in targets for m in t.traversed)),
        widens=tuple(dict.fromkeys(_widened(modules, module, part, found))),
        externals=frozenset(name.partition(".")[0] for t in targets for name in t.externals),
        changes=frozenset(s for t in (*written, *called) for s in t.symbols),
        asked=_asked(modules, module, part),
        changes_outside=any(t.externals for t in written),
        watches=_watches(module, found),
        watches_all=any(lookup.what == SUBCLASSES for lookup in part.lookups),
        texts=part.texts,
        given=tuple(
            (symbol, word)
            for index, word in part.given
            for symbol in modules.targets(module, index).symbols
        ),
        words=part.words,
        named=part.named,
        quotes=part.quotes,
        docs=part.docs + (module.docs if part.quotes else ""),
        computes=any(lookup.what in _COMPUTED for lookup in part.lookups),
        called=tuple(s for i in part.called for s in modules.targets(module, i).symbols),
        opaque=_opaque(module, part, found),
    )


def with_files(node: Node, lines: Sequence[str], programs: Sequence[str]) -> Node:
    """The same, with what the files that it reads hold, and the modules that it runs by file.

    See `DataFiles.read` and `DataFiles.programs`.
    """
    if not lines:
        return node
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    widens = tuple(dict.fromkeys([*node.widens, *programs]))
    return replace(
        node, hash=derive(_FILES_CONTEXT, node.hash + text), widens=widens, files=tuple(lines)
    )


def analyse_symbol(modules: Modules, module: Module, symbol: Symbol, *, heed: bool) -> Node:
    """The node of a symbol in `module`; `heed`: whether a comment that says to ignore it counts."""
    if symbol.ignored and heed:
        return _left_out(module, symbol)
    return analyse(modules, module, symbol.part, symbol.kind)


def _left_out(module: Module, symbol: Symbol) -> Node:
    """The node of a symbol that doesn't count: it is there, and leads to nothing."""
    return Node(
        hash=_IGNORED,
        text=_IGNORED_TEXT,
        kind=symbol.kind,
        location=Location(module.file, symbol.part.line),
        symbols=(),
        runs=(),
        widens=(),
        externals=frozenset(),
        changes=frozenset(),
        asked=frozenset(),
        changes_outside=False,
        watches=frozenset(),
        watches_all=False,
        texts=(),
        given=(),
        words=(),
        named=(),
        quotes=False,
        docs="",
        computes=False,
        called=(),
        opaque=(),
        is_ignored=True,
    )


def _asked(modules: Modules, module: Module, part: Part) -> frozenset[tuple[SymbolId, str]]:
    return frozenset(
        (symbol, module.references[index].chain[-1])
        for index in part.asked
        for symbol, is_attribute in modules.targets(module, index).symbols.items()
        if is_attribute
    )


def _watches(module: Module, found: Iterable[_Found]) -> frozenset[SymbolId | str]:
    return frozenset(
        watched
        for index, _, targets in found
        if "__subclasses__" in module.references[index].chain
        for watched in (*targets.symbols, *targets.externals)
    )


def find_named(modules: Modules, text: str) -> Targets:
    """What a dotted text names in the project, if it does: a module, or something in one."""
    dotted, _, member = text.partition(":")
    names = dotted.split(".")
    if modules.find(names[0]) is None:
        return Targets()
    for length in range(len(names), 0, -1):
        module = modules.get(".".join(names[:length]))
        if module is not None:
            chain = (*names[length:], *((member,) if member else ()))
            if chain and chain[0] not in module.symbols and chain[0] not in module.imports:
                break
            return modules.resolve(module, Reference(chain, 0, Origin(module.place.module)))
    return Targets()


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
            yield from (
                m for package in targets.traversed for m in modules_within(modules, package)
            )
    for name in part.loads:
        package, _, last = name.rpartition(".")
        if last == ANY:
            yield from modules_within(modules, package)
        elif (known := modules.find(name)) is not None and known.file is not None:
            yield name


def modules_within(modules: Modules, package: str) -> Iterator[str]:
    """The modules with a source in a package, however deep."""
    found = modules.find(package)
    for folder in found.folders if found is not None else ():
        for name in modules.listed(folder):
            inner = modules.find(f"{package}.{name.removesuffix('.py')}")
            if inner is not None:
                if inner.file is not None:
                    yield inner.name
                yield from modules_within(modules, inner.name)


def _opaque(module: Module, part: Part, found: Iterable[_Found]) -> tuple[Opaque, ...]:
    lookups = {Opaque(lookup.what, module.file, lookup.line) for lookup in part.lookups}
    widened = {
        Opaque(f"{reason}: {name}", module.file, line)
        for _, line, targets in found
        for name, reason in targets.modules.items()
    }
    return tuple(sorted(lookups | widened, key=lambda opaque: opaque.order))


def _joined(context: str, own: ObjectId, bindings: Iterable[str]) -> ObjectId:
    """What is known of the code itself, then one line for each name that stands for more."""
    lines = "".join(sorted(bindings)).encode("utf-8", "surrogatepass")
    return derive(context, own + lines) if lines else own


def _bindings(module: Module, found: Iterable[_Found]) -> set[str]:
    return {
        line
        for index, _, targets in found
        if (line := _binding(module, module.references[index], targets))
    }


def _listed(modules: Modules, name: str) -> str:
    """The names of a module in the order of their definitions, for who goes through them."""
    module = modules.get(name)
    return f"\n{name}: {' '.join(module.symbols if module is not None else ())}"


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
