"""What a piece of code takes from outside itself, as plain values."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from pivot.code.source.scopes import Origin

COMPUTED_IMPORT: Final = "import of a computed name"
"""What is said of a module that is imported by a name which only a run knows."""

COMPUTED_MODULE: Final = "sys.modules of a computed name"
"""What is said of a module that is looked up so."""

SUBCLASSES: Final = "subclasses of a class that only a run knows"
"""What is said of a look for subclasses, unless the class is named."""


class Reference(NamedTuple):
    """A name that code uses, with the attributes it reads from it: `np.linalg.norm`.

    A tuple, for there is one for each name in each piece of code.

    Attributes:
        chain: the name and its attributes; only attributes where `origin` is given.
        origin: what an import inside the code itself bound the name to.
        line: where, 1-based.
        runs_only: an import statement, which runs the module but uses nothing of it.
    """

    chain: tuple[str, ...]
    line: int
    origin: Origin | None = None
    runs_only: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A look-up by a name that only a run knows, such as `import_module(name)`."""

    what: str
    line: int


class Uses(NamedTuple):
    """What code takes from outside itself.

    Attributes:
        references: names it reads, without duplicates, in order of appearance.
        writes: what it sets attributes or items of, and globals that it binds.
        calls: objects that it calls methods of, which may change them; mere reading left out.
        asked: methods that are named like ones which only read, and those that loops call.
        lookups: what can't be followed.
        loads: modules that imports by computed names may mean, as `package.*`.
        imports: globals that functions bind by importing them, and from where.
        texts: literals that may name a module, or something in one.
        named: those that something is given, or that stand in tables.
        given: functions and classes with each plain name that they are given as a text.
        called: last names of what it calls, as `loads` of `json.loads(text)`.
        lists: it goes through the names of modules, in the order of their definitions.
        quotes: it reads docstrings.
    """

    references: tuple[Reference, ...]
    writes: tuple[Reference, ...]
    calls: tuple[Reference, ...]
    asked: tuple[Reference, ...]
    lookups: tuple[Lookup, ...]
    loads: tuple[str, ...]
    imports: tuple[tuple[str, Origin], ...]
    texts: tuple[str, ...]
    named: tuple[str, ...]
    given: tuple[tuple[Reference, str], ...]
    called: frozenset[str]
    lists: bool
    quotes: bool
