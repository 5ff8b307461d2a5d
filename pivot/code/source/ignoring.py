"""`# pivot: ignore` on a top-level definition: neither it nor what only it leads to counts.

The comment stands on the definition's own line, on one of its decorators' lines, or alone on the
line above. Comments aren't in the tree, so the text is read a second time; only where it holds
such a word at all.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pivot.code.source import declarations, statements
from pivot.errors import nearest

_WORD: Final = b"pivot:"
_COMMENT: Final = re.compile(r"#\s*pivot:\s*([\w-]+)")
_KNOWN: Final = ("ignore",)


@dataclass(frozen=True, slots=True)
class Mark:
    """A comment `# pivot: ignore`: its line (1-based), and whether it has the line for itself."""

    line: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """What a source says by comments.

    Attributes:
        ignored: names of top-level symbols that don't count.
        idle: lines of comments that say something of no symbol.
        misspelt: line -> word, of comments `# pivot: WORD` where a known word may be meant.
    """

    ignored: frozenset[str] = frozenset()
    idle: tuple[int, ...] = ()
    misspelt: tuple[tuple[int, str], ...] = ()


_NONE: Final = Marks()


def read_marks(source: bytes, tree: ast.Module) -> Marks:
    """The comments of a source and what they stand at; `tree` is the source's, unchanged."""
    if _WORD not in source:
        return _NONE
    marks: list[Mark] = []
    misspelt: list[tuple[int, str]] = []
    for token in _comments(source):
        for match in _COMMENT.finditer(token.string):
            if match[1] in _KNOWN:
                alone = not token.line[: token.start[1]].strip()
                marks.append(Mark(token.start[0], alone))
            elif nearest(match[1], _KNOWN):
                misspelt.append((token.start[0], match[1]))
    return _placed(tree, marks, misspelt)


def _comments(source: bytes) -> Iterator[tokenize.TokenInfo]:
    """All comments; a source that was parsed can be tokenised."""
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token


def _placed(tree: ast.Module, marks: list[Mark], misspelt: list[tuple[int, str]]) -> Marks:
    own: dict[int, list[str]] = {}
    above: dict[int, list[str]] = {}
    for node in declarations.top_statements(tree):
        names = _names(node)
        if names:
            lines = _lines(node)
            above.setdefault(lines[0] - 1, []).extend(names)
            for line in lines:
                own.setdefault(line, []).extend(names)
    ignored: set[str] = set()
    idle: list[int] = []
    for mark in marks:
        names = above.get(mark.line, []) if mark.alone else own.get(mark.line, [])
        ignored.update(names)
        if not names:
            idle.append(mark.line)
    return Marks(frozenset(ignored), tuple(idle), tuple(misspelt))


def _names(node: ast.stmt) -> list[str]:
    """The symbols that a plain definition defines; none for any other statement."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign() | ast.AnnAssign():
            return statements.bound_names([node])
        case ast.TypeAlias():
            return [node.name.id]
    return []


def _lines(node: ast.stmt) -> list[int]:
    """The lines whose comments are of a definition itself, first to last: not those of a body."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        first = min((d.lineno for d in node.decorator_list), default=node.lineno)
        last = max(node.lineno, node.body[0].lineno - 1)
        return list(range(first, last + 1))
    return list(range(node.lineno, (node.end_lineno or node.lineno) + 1))
