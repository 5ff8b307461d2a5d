"""What names stand for: symbols of the project, its modules, and what is outside."""

from dataclasses import dataclass, field
from typing import Final, Self


class SymbolId(str):
    """A symbol of a project module: the text `package.module:name`, for there are very many."""

    __slots__ = ("module", "name")
    module: str
    name: str

    def __new__(cls, module: str, name: str) -> Self:
        self = super().__new__(cls, f"{module}:{name}")
        self.module = module
        self.name = name
        return self


@dataclass(slots=True)
class Targets:
    """What a reference stands for.

    Attributes:
        symbols: project symbols; true where attributes of it are read.
        modules: project modules that are used as values, or of which an unknown name is read.
        externals: dotted names outside the project, without the attributes read from them.
        traversed: project modules that run before the name is found.
        order: in which order names were bound that several statements bind.
    """

    symbols: dict[SymbolId, bool] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    externals: set[str] = field(default_factory=set)
    traversed: dict[str, None] = field(default_factory=dict)
    order: set[str] = field(default_factory=set)


NOWHERE: Final = Targets()
"""What names of Python's own stand for, and those that nothing defines: very many."""
