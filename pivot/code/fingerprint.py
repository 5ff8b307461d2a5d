"""The fingerprint of a stage: each symbol that its function can reach, with the symbol's hash."""

from collections.abc import Mapping, Sequence
from sys import builtin_module_names, stdlib_module_names
from typing import Final

from pivot.code.analysis import Node
from pivot.code.findings import SCHEME, Fingerprint, Kind, Location, Opaque
from pivot.code.reach import Graph, Reach
from pivot.code.resolve import Modules, Sources, find_root
from pivot.code.symbols import EFFECTS
from pivot.hashing import ObjectId, derive
from pivot.paths import RepoPath

__all__ = ["SCHEME", "Fingerprint", "Kind", "Location", "Opaque", "ProjectCode", "Sources"]

_PYTHON: Final = frozenset(stdlib_module_names) | frozenset(builtin_module_names)
_NOT_PACKAGES: Final = _PYTHON | {"pivot", "__main__"}
_EFFECTS_CONTEXT: Final = f"pivot effects {SCHEME}"


class ProjectCode:
    """The sources of a project, parsed as far as fingerprints ask for them, and only once."""

    def __init__(self, sources: Sources, roots: Sequence[RepoPath]) -> None:
        """`roots` are the folders that modules are imported from, in the order of `sys.path`."""
        self._modules = Modules(sources, roots)
        self._graph = Graph(self._modules)

    def fingerprint(self, symbol: str) -> Fingerprint:
        """The fingerprint of `package.module:qualname`.

        Raises `DefinitionError` where the symbol isn't found, or where a source that it needs
        has a syntax error.
        """
        root = find_root(self._modules, symbol)
        reach = Reach(self._graph)
        reach.follow(root)
        entries = {str(symbol): (node, str(node.hash)) for symbol, node in reach.symbols.items()}
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
        )

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
