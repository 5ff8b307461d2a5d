"""The fingerprint of a stage: each symbol that its function can reach, with the symbol's hash."""

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from sys import builtin_module_names, stdlib_module_names
from typing import Final

from pivot.code.analysis import Node
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
from pivot.code.reach import Graph, Reach
from pivot.code.reading import Kept, Sources
from pivot.code.resolve import Modules, SymbolId, find_root
from pivot.code.roots import find_extra
from pivot.errors import DefinitionError
from pivot.hashing import ObjectId, derive, derive_json
from pivot.paths import RepoPath

__all__ = ["SCHEME", "Fingerprint", "Kind", "Location", "Opaque", "ProjectCode", "Sources"]

_PYTHON: Final = frozenset(stdlib_module_names) | frozenset(builtin_module_names)
_NOT_PACKAGES: Final = _PYTHON | {"pivot", "__main__"}
_EFFECTS_CONTEXT: Final = f"pivot effects {SCHEME}"
_MODULE_CONTEXT: Final = f"pivot module {SCHEME}"
_TEXTS_CONTEXT: Final = "pivot source texts 1"


class ProjectCode:
    """The sources of a project, parsed as far as fingerprints ask for them, and only once."""

    def __init__(
        self, sources: Sources, roots: Sequence[RepoPath], kept: Kept | None = None
    ) -> None:
        """`roots` are the folders that modules are imported from, in the order of `sys.path`.

        `kept` is what earlier analyses left; without it all sources are read and parsed.
        """
        self._modules = Modules(sources, roots, kept)
        self._graph = Graph(self._modules)

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
        reach.follow(root, symbols, modules)
        entries = {str(symbol): (node, node.value) for symbol, node in reach.symbols.items()}
        for name, effects in reach.effects.items():
            entries[f"{name}:{EFFECTS}"] = _joined([effects[index] for index in sorted(effects)])
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
            text=self.text(keys),
        )

    def text(self, names: Collection[str]) -> str:
        """The hash of how some entries of a fingerprint are written, as `Fingerprint.text` is.

        It tells whether sources are those that a stage ran, also where the hashes in its lock were
        made by rules that nobody knows any more. Lines count as they are, comments included.
        """
        rows = {name: self._texts(name) for name in sorted(names)}
        return derive_json(_TEXTS_CONTEXT, rows).hex()

    def _texts(self, name: str) -> list[str] | None:
        """How one entry is written; None where there is none of that name."""
        dotted, _, symbol = name.partition(":")
        with contextlib.suppress(DefinitionError):
            module = self._modules.get(dotted)
            return None if module is None else module.texts(symbol)
        return None

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
        return self._graph.node(SymbolId(dotted, symbol)).value

    def reached(self, names: Iterable[str], *, heed: bool = True) -> Reached:
        """All that these symbols lead to.

        Names are as in `hashes`; those that are no symbol, or can't be parsed, lead nowhere.
        Without `heed`, symbols that a comment says to ignore lead on like any other.
        """
        graph = self._graph if heed else Graph(self._modules, heed=False)
        files: dict[str, RepoPath] = {}
        runs: set[str] = set()
        for name in names:
            dotted, _, symbol = name.partition(":")
            with contextlib.suppress(DefinitionError):
                module = self._modules.get(dotted)
                if module is None:
                    continue
                is_whole = symbol in (EFFECTS, MODULE)
                if is_whole:
                    files[name] = module.file
                    runs.add(dotted)
                for part in module.symbols if is_whole else (symbol,):
                    found = self._fingerprint(f"{dotted}:{part}", graph)
                    files |= {entry: at.file for entry, at in found.locations.items()}
                    runs |= found.runs
        return Reached(files, frozenset(runs))

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


def _joined(effects: Sequence[Node]) -> tuple[Node, str]:
    """A module's effects as one entry, in source order: the first one's place, a joint hash."""
    return effects[0], str(derive(_EFFECTS_CONTEXT, b"".join(node.hash for node in effects)))


def _packages(reach: Reach) -> frozenset[str]:
    nodes = [*reach.symbols.values(), *(n for e in reach.effects.values() for n in e.values())]
    return frozenset().union(*(node.externals for node in nodes)) - _NOT_PACKAGES
