"""Which names matter to definitions: a value for the evidence, see `depending`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Influence:
    """Names stand alone, without the module or the object that they are looked up in.

    Attributes:
        names: whose meanings matter, None for all.
        wanted: names that modules take from each other: they must be there.
        proven: what there is in libraries, as `Statement.needs` writes it.
    """

    names: frozenset[str] | None = None
    wanted: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()

    def to_json(self) -> list[str | None]:
        names = None if self.names is None else " ".join(sorted(self.names))
        return [names, " ".join(sorted(self.wanted)), " ".join(sorted(self.proven))]

    @classmethod
    def from_json(cls, value: Sequence[str | None]) -> Self:
        names, wanted, proven = value
        return cls(
            None if names is None else frozenset(names.split()),
            frozenset((wanted or "").split()),
            frozenset((proven or "").split()),
        )
