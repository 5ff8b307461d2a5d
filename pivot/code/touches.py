"""What importing a module may change, beside defining its names."""

from dataclasses import dataclass

from pivot.code.source.facts import Module
from pivot.code.targets import SymbolId


@dataclass(frozen=True, slots=True)
class Touch:
    """What something done at import may change.

    Attributes:
        symbols: project symbols; it matters to whoever reaches one of them.
        bases: classes that it derives from, those outside as their modules' names; it matters to
            whoever asks for their subclasses.
        always: it changes what can't be told, so it matters to everyone.
    """

    symbols: frozenset[SymbolId]
    bases: frozenset[SymbolId | str] = frozenset()
    always: bool = False

    @property
    def may_matter(self) -> bool:
        return self.always or bool(self.symbols) or bool(self.bases)


@dataclass(frozen=True, slots=True)
class Acts:
    """What modules do when they are imported, as far as it can matter to anybody.

    Attributes:
        effects: module, place in it, and what the effect may change; in the order of running.
        triggers: the symbol that is defined, and what defining it may change; in the same order.
    """

    effects: tuple[tuple[Module, int, Touch], ...]
    triggers: tuple[tuple[SymbolId, Touch], ...]
