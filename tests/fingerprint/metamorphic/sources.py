"""Real and made-up Python, and ways to write it differently that mean the same.

Each rewriting takes source text and a number that chooses among its variants, and gives source
text; where it can't do anything it gives the same text.
"""

import ast
import functools
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import black

from pivot.code.source.syntax import parse

REPOSITORY: Final = Path(__file__).parents[3]
LIBRARY: Final = Path(ast.__file__).parent
LARGEST: Final = 40_000  # characters, of a file that many examples are made of
_READS_DOCSTRINGS: Final = re.compile("__doc__|getdoc|getcomments|docopt|doctest|testmod")
_READS_ORDER: Final = re.compile(r"globals\(|vars\(|__dict__")
Rewriting = Callable[[str, int], str]


@functools.cache
def real_files() -> tuple[Path, ...]:
    """Pivot's own sources, and those of Python's library that aren't too large."""
    own = sorted(REPOSITORY.glob("pivot/**/*.py"))
    library = sorted(LIBRARY.glob("*.py")) + sorted(LIBRARY.glob("*/[a-z]*.py"))
    library = [f for f in library if "site-packages" not in f.parts and "idlelib" not in f.parts]
    return tuple(f for f in (*own, *library) if 200 < f.stat().st_size < LARGEST and _is_text(f))


def _is_text(file: Path) -> bool:
    try:
        parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return False
    return True


def ruff(source: str, variant: int) -> str:
    """`ruff format`, with one of several widths and styles."""
    styles = (
        ["--line-length=60", "--config=format.quote-style='single'"],
        ["--line-length=160", "--config=format.indent-style='tab'"],
        ["--line-length=88", "--preview"],
        ["--line-length=100", "--config=format.skip-magic-trailing-comma=true"],
        ["--line-length=79", "--config=format.line-ending='cr-lf'"],
    )
    style = styles[variant % len(styles)]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", *style, "-"],
        input=source.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def blacken(source: str, variant: int) -> str:
    """What black makes of it."""
    mode = black.Mode(
        line_length=(60, 88, 160)[variant % 3],
        string_normalization=variant % 2 == 0,
        magic_trailing_comma=variant % 5 != 0,
    )
    try:
        return black.format_str(source, mode=mode)
    except black.InvalidInput:  # syntax that black doesn't know yet
        return source


def unparse(source: str, variant: int) -> str:
    """Written anew from the tree alone."""
    return ast.unparse(parse(source)) + "\n"


def crlf(source: str, variant: int) -> str:
    return source.replace("\r\n", "\n").replace("\n", "\r\n")


def comment(source: str, variant: int) -> str:
    """Comments and blank lines before some statements, and spaces at the end of others' lines."""
    chosen = random.Random(variant)
    lines = source.splitlines(keepends=True)
    for at in sorted(_starts(source), reverse=True):
        if chosen.random() < 0.3:
            lines[at:at] = [chosen.choice(["\n", "# a remark\n", "\n\n    # off\n", "\t\n"])]
    return "".join(lines)


def _starts(source: str) -> set[int]:
    """Indices of lines on which statements start, alone; decorators belong to theirs."""
    lines = source.split("\n")
    return {
        line - 1
        for node in ast.walk(parse(source))
        if isinstance(node, ast.stmt)
        for line in [min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])]
        if not lines[line - 1][: node.col_offset].strip() and not _is_continued(lines, line - 1)
    }


def _is_continued(lines: Sequence[str], at: int) -> bool:
    return at > 0 and lines[at - 1].endswith("\\")


def document(source: str, variant: int) -> str:
    """Docstrings for some that have none, other ones for those that have; if nothing reads them."""
    if _READS_DOCSTRINGS.search(source):
        return source
    chosen = random.Random(variant)
    tree = parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            continue
        text = ast.Expr(ast.Constant(chosen.choice(["Do it.", "Do\n\nit.", ""])))
        if ast.get_docstring(node, clean=False) is not None:
            node.body[0] = text
        elif chosen.random() < 0.5:
            node.body.insert(0, text)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def bracket(source: str, variant: int) -> str:
    """Brackets around some expressions that stand in expressions."""
    chosen = random.Random(variant)
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    places: list[tuple[int, int, bytes]] = []
    for node in _bracketable(parse(source)):
        if chosen.random() < 0.05:
            places.append((node.lineno - 1, node.col_offset, b"("))
            places.append((node.end_lineno or 0, node.end_col_offset or 0, b")"))
    # Closing ones first where one expression ends as another starts; from the end backwards.
    ends = [(line - 1, column, 0, text) for line, column, text in places if text == b")"]
    starts = [(line, column, 1, text) for line, column, text in places if text == b"("]
    for line, column, _, text in sorted([*ends, *starts], reverse=True):
        lines[line] = lines[line][:column] + text + lines[line][column:]
    return b"".join(lines).decode()


def _bracketable(tree: ast.AST) -> Iterator[ast.expr]:
    """Values of statements, operands, arguments: not what stands in f-strings or patterns."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr | ast.pattern):
            continue
        match node:
            case ast.Assign() | ast.Return() | ast.Expr() | ast.keyword() if node.value:
                yield node.value
            case ast.BinOp():
                yield from (node.left, node.right)
            case ast.If() | ast.While():
                yield node.test
            case ast.Call(args=args) if not any(isinstance(a, ast.GeneratorExp) for a in args):
                yield from (a for a in args if not isinstance(a, ast.Starred))
        stack += ast.iter_child_nodes(node)


def reorder(source: str, variant: int) -> str:
    """Neighbouring functions in another order, where making one runs nothing of the others.

    If nothing goes through them in their order.
    """
    if _READS_ORDER.search(source):
        return source
    chosen = random.Random(variant)
    tree = parse(source)
    body: list[ast.stmt] = []
    for movable, group in groupby(tree.body, _is_movable):
        statements = list(group)
        names = [getattr(s, "name", "") for s in statements]
        if movable and len(set(names)) == len(names):
            chosen.shuffle(statements)
        body += statements
    tree.body = body
    return ast.unparse(tree) + "\n"


def _is_movable(node: ast.stmt) -> bool:
    """A function whose definition evaluates nothing."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    annotations = [a.annotation for a in [*every, arguments.vararg, arguments.kwarg] if a]
    evaluated = [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults]
    return not any([*evaluated, *annotations, node.returns])


REWRITINGS: Final[Mapping[str, Rewriting]] = {
    "ruff": ruff,
    "black": blacken,
    "unparse": unparse,
    "crlf": crlf,
    "comment": comment,
    "document": document,
    "bracket": bracket,
    "reorder": reorder,
}
