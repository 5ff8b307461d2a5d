"""What code looks up by names that are texts: modules, and what libraries keep under names."""

import ast
from collections.abc import Iterable
from typing import Final

from pivot.code.source.reflection import is_sys_modules, loadable
from pivot.code.source.scopes import Origin, Place, Scopes
from pivot.code.source.texts import is_dotted
from pivot.code.source.uses import COMPUTED_IMPORT, COMPUTED_MODULE, Lookup

_TABLE: Final = Origin("sys", "modules")


class LookUps:
    """The look-ups that are met on one way through code.

    Attributes:
        found: those by names that only a run knows.
        loads: modules that they may mean, as `package.*`.
        named: dotted texts that something is given, or that stand in tables.
        indexed: tables, such as `globals()`, of which only one item is asked.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.found: dict[Lookup, None] = {}
        self.loads: dict[str, None] = {}
        self.named: dict[str, None] = {}
        self.indexed: set[ast.AST] = set()

    def note(self, what: str, node: ast.expr) -> None:
        """Note a look-up of that kind."""
        self.found[Lookup(what, node.lineno)] = None

    def hold(self, values: Iterable[ast.expr]) -> None:
        """Note dotted texts that a library may look up by."""
        for value in values:
            text = getattr(value, "value", None)
            if isinstance(text, str) and is_dotted(text):
                self.named[text] = None

    def load(self, node: ast.Call) -> None:
        """Note an import by a name that only a run knows, and what it may be."""
        self.note(COMPUTED_IMPORT, node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = loadable(arguments[0], self._place) if arguments else None
        if names is not None:
            self.loads[names] = None

    def is_table(self, node: ast.AST, scopes: Scopes) -> bool:
        """Whether this is `sys.modules`, which a function may import, too."""
        if isinstance(node, ast.Name):
            origins = (o for scope in scopes.every for o in scope.imports.get(node.id, ()))
            if any(origin == _TABLE for origin in origins):
                return True
        return is_sys_modules(node, self._place)

    def table(self, node: ast.Name | ast.Attribute) -> None:
        """Note a use of `sys.modules` itself, such as going through it."""
        if node not in self.indexed and isinstance(node.ctx, ast.Load):
            self.module(node, None)

    def module(self, node: ast.expr, name: ast.expr | None) -> None:
        """Note that a module is taken from `sys.modules` by a name that only a run knows."""
        self.note(COMPUTED_MODULE, node)
        names = None if name is None else loadable(name, self._place)
        # Where nothing tells, a module mostly looks for itself, or for what its own texts name.
        self.loads[names or self._place.module] = None
