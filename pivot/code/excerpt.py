"""The lines of a source that define a symbol, to be shown to people.

What counts is decided by the analysis; this only cuts out the text for what it names.
"""

import ast
import io
import tokenize
from collections.abc import Callable, Iterator, Sequence

from pivot.code.findings import EFFECTS, MODULE
from pivot.code.source import declarations, statements
from pivot.code.source.scopes import Place
from pivot.code.source.syntax import parse

type Span = tuple[int, int]
type Lines = tuple[tuple[int, str], ...]


class Source:
    """A source file that can be cut; one that is no Python has no parts."""

    def __init__(self, data: bytes) -> None:
        self._lines: list[str] = []
        self._body: list[ast.stmt] = []
        self._declared: frozenset[str] = frozenset()
        try:
            tree = parse(data)
            self._lines = _lines(data)
        except (SyntaxError, ValueError):
            return
        self._body = tree.body
        self._declared = _declared(tree)

    def symbol(self, name: str) -> Lines:
        """The numbered lines of every definition of a top-level name, with the `if`s around them.

        `<effects>` stands for what the module does when it is imported, `<module>` for all of it.
        """
        if name == MODULE:
            return tuple(enumerate(self._lines, start=1))
        if name == EFFECTS:
            return self._cut(self._effects(self._body))
        return self._cut(_definitions(self._body, name))

    def imports(self) -> Lines:
        """The numbered lines of the import statements, but for those in functions."""
        own = statements.own_nodes(self._body)
        return self._cut(map(_span, statements.import_statements(own)))

    def _cut(self, spans: Iterator[Span]) -> Lines:
        numbers = sorted({n for first, last in spans for n in range(first, last + 1)})
        return tuple((number, self._lines[number - 1]) for number in numbers)

    def _effects(self, body: Sequence[ast.stmt]) -> Iterator[Span]:
        for node in body:
            match node:
                case ast.If():
                    yield from _branches(node, self._effects)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete():
                    if statements.stores_into(statements.own_nodes([node])):
                        yield _span(node)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    pass
                case _ if statements.acts([node], self._declared):
                    yield _span(node)


def _lines(data: bytes) -> list[str]:
    """Lines as Python counts them: a form feed, for one, ends none."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline=None) as text:
        return text.read().removesuffix("\n").split("\n")


def _declared(tree: ast.Module) -> frozenset[str]:
    """A module's names for Pivot's own things, as far as the module itself tells."""
    bindings = declarations.read_bindings(tree, Place("", "", frozenset()))
    found = {
        name
        for name, origins in bindings.imports.items()
        if any(map(declarations.is_pivot, origins))
    }
    return frozenset(found | {name for name, maker in bindings.made.items() if maker in found})


def _definitions(body: Sequence[ast.stmt], name: str, *, guarded: bool = False) -> Iterator[Span]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _branches(node, lambda arm: _definitions(arm, name, guarded=True))
        else:
            is_plain = isinstance(node, ast.Import | ast.ImportFrom) and not guarded
            if name in statements.bound_names([node], imports=not is_plain):
                yield _span(node)


def _branches(
    node: ast.If, spans: Callable[[Sequence[ast.stmt]], Iterator[Span]]
) -> Iterator[Span]:
    """What is wanted of both arms of an `if`, and its test where there is something."""
    arms = (node.orelse,) if statements.is_main_test(node.test) else (node.body, node.orelse)
    found = [span for arm in arms for span in spans(arm)]
    if found:
        yield node.lineno, node.test.end_lineno or node.lineno
        yield from found


def _span(node: ast.stmt) -> Span:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first, node.end_lineno or node.lineno
