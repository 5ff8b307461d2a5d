"""One symbol or effect by itself: its hash, and what it leads to."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pivot.code.findings import IGNORED, SCHEME, Kind, Location, Opaque
from pivot.code.links import Link, Links, Wide
from pivot.code.modules import Modules
from pivot.code.source.facts import Module, Part, Symbol
from pivot.code.source.reflection import ANY
from pivot.code.source.scopes import Origin
from pivot.code.source.uses import COMPUTED_IMPORT, COMPUTED_MODULE, SUBCLASSES, Reference
from pivot.code.targets import SymbolId, Targets
from pivot.hashing import ObjectId, derive

_CONTEXT: Final = f"pivot symbol {SCHEME}"
# Packages that make prompts or usage texts of docstrings.
_QUOTING: Final = frozenset(
    {"dspy", "langchain", "langchain_core", "langgraph", "llama_index", "pydantic_ai", "instructor"}
    | {"smolagents", "crewai", "marvin", "magentic", "docopt", "fire"}
)
_COMPUTED: Final = frozenset({COMPUTED_IMPORT, COMPUTED_MODULE})
_FILES_CONTEXT: Final = f"pivot files {SCHEME}"
_TEXT_CONTEXT: Final = "pivot symbol text 1"
_IGNORED: Final = derive(_CONTEXT, IGNORED.encode())
_IGNORED_TEXT: Final = derive(_TEXT_CONTEXT, IGNORED.encode())
_NONE: Final[frozenset[SymbolId]] = frozenset()


class Node(NamedTuple):
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
        quotes: it reads docstrings, or lets a package do so.
        docs: hash of its own docstrings, and of its module's if it reads any; empty for none.
        computes: it imports by names that only a run knows.
        called: project symbols that it calls when its module is imported.
        opaque: what couldn't be followed.
        is_ignored: a comment says that it doesn't count.
        files: what the files hold that it reads at import; see `DataFiles.read`.
        is_wide: it may lead to more than `symbols` and `externals`, or can't be followed.
    """

    hash: ObjectId
    text: ObjectId
    kind: Kind
    location: Location
    symbols: tuple[SymbolId, ...] = ()
    runs: tuple[str, ...] = ()
    widens: tuple[str, ...] = ()
    externals: frozenset[str] = frozenset()
    changes: frozenset[SymbolId] = frozenset()
    asked: frozenset[tuple[SymbolId, str]] = frozenset()
    changes_outside: bool = False
    watches: frozenset[SymbolId | str] = frozenset()
    watches_all: bool = False
    texts: tuple[str, ...] = ()
    given: tuple[tuple[SymbolId, str], ...] = ()
    words: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    quotes: bool = False
    docs: str = ""
    computes: bool = False
    called: tuple[SymbolId, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    is_ignored: bool = False
    files: tuple[str, ...] = ()
    is_wide: bool = False

    @property
    def value(self) -> str:
        """What stands for it in a lock."""
        return IGNORED if self.is_ignored else str(self.hash)


def analyse(links: Links, part: Part, kind: Kind) -> Node:
    """The node of a symbol, or of one effect, in a module, without the files that it reads."""
    symbols: dict[SymbolId, bool] = {}
    others: list[tuple[int, Link]] = []
    for line, link in links.used(part):
        symbols |= link.targets.symbols
        if not link.is_own:
            others.append((line, link))
    runs = tuple(dict.fromkeys(m for _, link in others for m in link.targets.traversed))
    bindings = {link.binding for _, link in others}
    if part.lists:
        listed = {name for _, link in others for name in link.targets.modules}
        bindings |= {_listed(links.modules, name) for name in listed}
    own = "".join(sorted(bindings)).encode("utf-8", "surrogatepass")
    externals = frozenset().union(*[link.externals for _, link in others])
    quotes = part.quotes or not externals.isdisjoint(_QUOTING)
    wide = [(line, link.wide) for line, link in others if link.wide is not None]
    lookups = [lookup.what for lookup in part.lookups]
    changed = (*part.writes, *part.calls)
    return Node(
        hash=derive(_CONTEXT, part.digest + own) if own else part.digest,
        text=derive(_TEXT_CONTEXT, part.text + own) if own else part.text,
        kind=kind,
        location=Location(links.module.file, part.line),
        symbols=tuple(symbols),
        runs=runs,
        widens=_widened(links.modules, part, wide) if wide or part.loads else (),
        externals=externals,
        changes=frozenset(links.symbols(changed)) if changed else _NONE,
        asked=_asked(links, part) if part.asked else frozenset(),
        changes_outside=bool(part.writes) and any(links.at(i).externals for i in part.writes),
        watches=frozenset().union(*(w.watches for _, w in wide)) if wide else _NONE,
        watches_all=SUBCLASSES in lookups,
        texts=part.texts,
        given=tuple((s, word) for i, word in part.given for s in links.symbols((i,))),
        words=part.words,
        named=part.named,
        quotes=quotes,
        docs=part.docs + (links.module.docs if part.quotes else ""),
        computes=not _COMPUTED.isdisjoint(lookups),
        called=tuple(links.symbols(part.called)) if part.called else (),
        opaque=_opaque(links.module, part, wide) if wide or lookups else (),
        is_wide=bool(runs or wide or lookups or part.loads or part.texts or quotes),
    )


def with_files(node: Node, lines: Sequence[str], programs: Sequence[str]) -> Node:
    """The same, with what the files that it reads hold, and the modules that it runs by file.

    See `DataFiles.read` and `DataFiles.programs`.
    """
    if not lines:
        return node
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    widens = tuple(dict.fromkeys([*node.widens, *programs]))
    return node._replace(
        hash=derive(_FILES_CONTEXT, node.hash + text),
        widens=widens,
        files=tuple(lines),
        is_wide=node.is_wide or bool(programs),
    )


def analyse_symbol(links: Links, symbol: Symbol, *, heed: bool) -> Node:
    """The node of a symbol in a module; `heed`: whether a comment that says to ignore it counts."""
    if symbol.ignored and heed:
        return _left_out(links.module, symbol)
    return analyse(links, symbol.part, symbol.kind)


def _left_out(module: Module, symbol: Symbol) -> Node:
    """The node of a symbol that doesn't count: it is there, and leads to nothing."""
    location = Location(module.file, symbol.part.line)
    return Node(_IGNORED, _IGNORED_TEXT, symbol.kind, location, is_ignored=True)


def _asked(links: Links, part: Part) -> frozenset[tuple[SymbolId, str]]:
    return frozenset(
        (symbol, links.module.references[place].chain[-1])
        for place in part.asked
        for symbol, is_attribute in links.at(place).targets.symbols.items()
        if is_attribute
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


def _widened(modules: Modules, part: Part, wide: Iterable[tuple[int, Wide]]) -> tuple[str, ...]:
    """The modules of which any name may be used."""
    found = [module for _, w in wide for module in w.modules]
    for name in part.loads:
        package, _, last = name.rpartition(".")
        if last == ANY:
            found += modules.within(package)
        elif (known := modules.find(name)) is not None and known.file is not None:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _opaque(module: Module, part: Part, wide: Iterable[tuple[int, Wide]]) -> tuple[Opaque, ...]:
    found = {Opaque(lookup.what, module.file, lookup.line) for lookup in part.lookups}
    found.update(Opaque(what, module.file, line) for line, w in wide for what in w.opaque)
    return tuple(sorted(found, key=lambda opaque: opaque.order))


def _listed(modules: Modules, name: str) -> str:
    """The names of a module in the order of their definitions, for who goes through them."""
    module = modules.get(name)
    return f"\n{name}: {' '.join(module.symbols if module is not None else ())}"
