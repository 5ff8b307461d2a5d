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
        changed: names that are bound, in modules or objects, by others than plain statements.
        proven: what there is in libraries, as `Statement.needs` writes it.
        sees_code: whether somebody may look at code itself, or at where it stands. No source is
            less than a whole then, so it isn't written down.
    """

    names: frozenset[str] | None = None
    wanted: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()
    sees_code: bool = False

    def to_json(self) -> list[str | None]:
        names = None if self.names is None else " ".join(sorted(self.names))
        rest = (self.wanted, self.changed, self.proven)
        return [names, *(" ".join(sorted(values)) for values in rest)]

    @classmethod
    def from_json(cls, value: Sequence[str | None]) -> Self:
        names, *rest = value
        wanted, changed, proven = (frozenset((text or "").split()) for text in rest)
        return cls(None if names is None else frozenset(names.split()), wanted, changed, proven)
