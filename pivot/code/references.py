"""Names that code takes from outside itself, and look-ups of names that only a run knows."""

import ast
from dataclasses import dataclass
from typing import Final, NamedTuple

from pivot.code.scopes import Origin, Scopes

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


def looked_up(chain: tuple[str, ...], line: int, scopes: Scopes) -> list[Reference]:
    """The outer name, or names, that `chain` starts from; none for a local variable."""
    return [
        Reference(chain, line) if origin is None else Reference(chain[1:], line, origin)
        for origin in scopes.origins(chain[0])
    ]


def is_outer(node: ast.AST, scopes: Scopes) -> bool:
    """Whether this is a name that no function around it binds."""
    return isinstance(node, ast.Name) and bool(scopes.origins(node.id))
