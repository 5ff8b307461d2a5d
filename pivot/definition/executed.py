"""What of a source matters to definitions: a value for the evidence, see `mattering`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

# Where a code object stands in its module: the number of the statement, of those that matter, of
# the code in that, and then of constants.
type Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Executed:
    """What of a source matters.

    Attributes:
        digest: over what its statements do that matter, the code of what ran, and the heads of
            functions that were only defined.
        parts: the places of what ran.
        lines: the first lines of all functions and classes that the digest covers, in its order.
        libraries: modules of others that it imports, sorted.
    """

    digest: str
    parts: tuple[Place, ...]
    lines: tuple[int, ...]
    libraries: tuple[str, ...] = ()

    def holds_as(self, now: "Executed") -> bool:
        """Whether loading what is there now would do what loading this did."""
        return self.digest == now.digest and set(self.libraries) <= set(now.libraries)

    def to_json(self) -> list[object]:
        return [self.digest, self.parts, self.lines, self.libraries]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Self:
        digest, parts, lines, libraries = value
        return cls(digest, tuple(map(tuple, parts)), tuple(lines), tuple(libraries))
