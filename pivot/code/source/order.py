"""Where the order of top-level statements has a meaning, and only there.

Statements that are independent may change places. These aren't:

- several statements bind one name, and some of them import it: the last one wins;
- a statement reads a name when it runs, and others bind that name again, or change its object:
  how many of those come first decides what it reads.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pivot.code.source.scopes import STAR
from pivot.code.source.statements import own_nodes
from pivot.code.source.symbols import Definition, Outline
from pivot.code.source.syntax import walk

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def contested(outline: Outline) -> tuple[tuple[str, str], ...]:
    """Bindings whose order decides what a name stands for: the name, and where it comes from.

    In source order. With a star among the imports any name may be among them.
    """
    sources: dict[str, dict[str, None]] = {}
    for name, source in outline.bindings:
        sources.setdefault(name, {})[source] = None
    has_star = STAR in sources
    kept = (b for b in outline.bindings if has_star or len(sources[b[0]]) > 1)
    return tuple(dict.fromkeys(kept))


@dataclass(slots=True)
class Versions:
    """Which of several values a statement finds in the names that it reads when it runs."""

    outline: Outline
    _writers: Mapping[str, Sequence[tuple[int, int]]] = field(init=False)
    _bodies: Mapping[str, Sequence[ast.AST]] = field(init=False)

    def __post_init__(self) -> None:
        self._bodies = {
            name: [d.node for d in symbol.definitions]
            for name, symbol in self.outline.symbols.items()
            if any(isinstance(d.node, _FUNCTIONS) for d in symbol.definitions)
        }
        writers: dict[str, set[tuple[int, int]]] = {}
        for name, position in self.outline.import_positions:
            writers.setdefault(name, set()).add(position)
        for name, symbol in self.outline.symbols.items():
            writers.setdefault(name, set()).update(_position(d) for d in symbol.definitions)
        for effect in self.outline.effects:
            names: Iterable[str] = self._read(effect.definition)
            if effect.touches is not None:
                names = [r.chain[0] for r in effect.touches if r.origin is None and r.chain]
            for name in names:
                writers.setdefault(name, set()).add(_position(effect.definition))
        self._writers = {n: sorted(ps) for n, ps in writers.items() if len(ps) > 1}

    def text(self, definitions: Sequence[Definition]) -> bytes:
        """For each name with several values the number of those that come first; mostly nothing."""
        if not self._writers:
            return b""
        found = (
            f"\n{name} {sum(other < _position(definition) for other in self._writers[name])}"
            for definition in definitions
            for name in sorted(self._read(definition) & self._writers.keys())
        )
        return "".join(found).encode("utf-8", "surrogatepass")

    def _read(self, definition: Definition) -> set[str]:
        """Names that a statement reads when it runs, in functions of the module as well."""
        tests = [guard.test for guard in definition.guards]
        found = set(_names(own_nodes([*tests, definition.node])))
        left = [name for name in found if name in self._bodies]
        while left:
            inner = {n for node in self._bodies[left.pop()] for n in _names(walk(node))}
            left += (name for name in inner - found if name in self._bodies)
            found |= inner
        return found


def _names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    return (n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _position(definition: Definition) -> tuple[int, int]:
    return definition.node.lineno, definition.node.col_offset
