"""The fingerprint of a stage: each symbol that its function can reach, with the symbol's hash."""

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from sys import builtin_module_names, stdlib_module_names
from typing import Final

from pivot.code.analysis import Node
from pivot.code.consulted import Consulted, all_asked, leads_elsewhere
from pivot.code.files import DataFiles
from pivot.code.findings import EFFECTS, MODULE, SCHEME, Fingerprint, Kind, Location, Opaque
from pivot.code.reach import Reach
from pivot.code.reading import Kept, Sources
from pivot.code.resolve import Modules
from pivot.code.sequence import find_orders
from pivot.code.symbol_graph import Graph
from pivot.code.targets import SymbolId
from pivot.errors import DefinitionError
from pivot.hashing import ObjectId, derive
from pivot.paths import RepoPath

__all__ = ["SCHEME", "Fingerprint", "Kind", "Location", "Opaque", "ProjectCode", "Sources"]

_PYTHON: Final = frozenset(stdlib_module_names) | frozenset(builtin_module_names)
_NOT_PACKAGES: Final = _PYTHON | {"pivot", "__main__"}
_EFFECTS_CONTEXT: Final = f"pivot effects {SCHEME}"
_ORDER_CONTEXT: Final = f"pivot order {SCHEME}"
_MODULE_CONTEXT: Final = f"pivot module {SCHEME}"


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
        self._graph = Graph(self._modules, DataFiles(self._modules, outs))
        self._consulted: dict[str, frozenset[str]] = {}
        self._whole: set[str] = set()

    def expect(self, symbols: Iterable[str]) -> None:
        """Say which fingerprints will be asked for, so that many sources are parsed at once."""
        self._modules.expect(dict.fromkeys(symbol.partition(":")[0] for symbol in symbols))

    def fingerprint(self, symbol: str) -> Fingerprint:
        """The fingerprint of `package.module:qualname`.

        Raises `DefinitionError` where the symbol isn't found, or where a source that it needs
        has a syntax error.
        """
        root = _find_root(self._modules, symbol)
        reach = Reach(self._graph)
        seen: set[str] = set()
        with self._modules.asking(seen):
            reach.follow(root)
        seen.update(reach.modules)
        self._consulted[symbol] = all_asked(seen, self._modules.asked)
        entries = {str(symbol): (node, str(node.hash)) for symbol, node in reach.symbols.items()}
        for name, effects in reach.effects.items():
            entries[f"{name}:{EFFECTS}"] = _joined([effects[index] for index in sorted(effects)])
        orders = find_orders(reach, root)
        if orders:
            self._whole.add(symbol)
        for entry, order in orders.items():
            node, hash_ = entries.get(entry) or (self._graph.node(root), "")
            text = f"{hash_}{order}".encode("utf-8", "surrogatepass")
            effects_node = replace(node, kind=Kind.EFFECTS)
            entries[entry] = effects_node, str(derive(_ORDER_CONTEXT, text))
            reach.via.setdefault(entry, str(root))
        keys = sorted(entries)
        return Fingerprint(
            root=symbol,
            code={key: entries[key][1] for key in keys},
            locations={key: entries[key][0].location for key in keys},
            kinds={key: entries[key][0].kind for key in keys},
            modules=_packages(reach),
            opaque=tuple(sorted(reach.opaque, key=lambda found: found.order)),
            via=reach.via,
            runs=frozenset(n for n in reach.modules if self._modules.find(n) is not None),
        )

    def _refreshed(self, symbol: str, old: Fingerprint, modules: Collection[str]) -> Fingerprint:
        """A fingerprint after edits of modules that lead to what they led to before."""
        edited = {key for key in old.code if key.partition(":")[0] in modules}
        if not edited:
            return old
        if any(key.endswith(EFFECTS) for key in edited):  # which of them it reaches isn't known
            return self.fingerprint(symbol)
        nodes = {key: self._graph.node(SymbolId(*key.split(":"))) for key in edited}
        files = {node.location.file for node in nodes.values()}
        opaque = {found for found in old.opaque if found.file not in files}
        opaque.update(found for node in nodes.values() for found in node.opaque)
        return replace(
            old,
            code=dict(old.code) | {key: str(self._hash(key)) for key in edited},
            locations=dict(old.locations) | {key: node.location for key, node in nodes.items()},
            opaque=tuple(sorted(opaque, key=lambda found: found.order)),
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
            if consulted.isdisjoint(ids if is_whole else other):
                self._whole.update([symbol] if is_whole else [])
                self._consulted[symbol] = consulted
                found[symbol] = self._refreshed(symbol, old, ids.keys())
            else:
                found[symbol] = self.fingerprint(symbol)
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
            nodes = [self._graph.effect(module, i)[0] for i in range(len(module.effects))]
            if symbol == MODULE:
                nodes += (self._graph.node(SymbolId(dotted, n)) for n in sorted(module.symbols))
            return str(derive(_MODULE_CONTEXT, b"".join(node.hash for node in nodes)))
        if symbol not in module.symbols:
            return None
        return str(self._graph.node(SymbolId(dotted, symbol)).hash)

    def symbols_at(self, places: Iterable[tuple[RepoPath, int]]) -> dict[tuple[RepoPath, int], str]:
        """The symbol, `package.module:name`, that each line (1-based) of a source stands in.

        Lines of no definition belong to `<module>`. Files that are no modules, or can't be parsed,
        are left out.
        """
        found: dict[tuple[RepoPath, int], str] = {}
        for file, line in places:
            with contextlib.suppress(DefinitionError):
                module = self._modules.at(file)
                if module is not None:
                    found[file, line] = f"{module.place.module}:{module.name_at(line) or MODULE}"
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


def _joined(effects: Sequence[Node]) -> tuple[Node, str]:
    """A module's effects as one entry, in source order: the first one's place, a joint hash."""
    return effects[0], str(derive(_EFFECTS_CONTEXT, b"".join(node.hash for node in effects)))


def _packages(reach: Reach) -> frozenset[str]:
    nodes = [*reach.symbols.values(), *(n for e in reach.effects.values() for n in e.values())]
    return frozenset().union(*(node.externals for node in nodes)) - _NOT_PACKAGES


def _find_root(modules: Modules, symbol: str) -> SymbolId:
    """The symbol that `package.module:qualname` names; a method's is that of its class.

    Raises `DefinitionError` where there is no such module or name.
    """
    name, _, qualname = symbol.partition(":")
    module = modules.get(name)
    if module is None:
        raise DefinitionError(
            f"module {name!r} of {symbol!r} was not found",
            why="no source file of the project has that name",
        )
    top = qualname.partition(".")[0]
    if top not in module.symbols:
        raise DefinitionError(f"{module.file} does not define {top!r}")
    return SymbolId(name, top)
