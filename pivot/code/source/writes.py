"""Which calls write a file: naming it there is neither reading nor running it."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

WRITING: Final = frozenset({"write_text", "write_bytes", "touch", "unlink", "mkdir", "rmdir"})
"""Methods of paths that write, make or remove what is there."""

_MODE: Final = re.compile("[wax]")


def writes(node: ast.Call, name: str, *, is_method: bool) -> bool:
    """Whether a call of `name`, one that opens files or of `WRITING`, writes what it is given.

    `is_method`: it is a method of a path.
    """
    if name in WRITING:
        return is_method
    modes: Iterable[ast.AST] = node.args[:1] if is_method else node.args[1:2]
    modes = (*modes, *(k.value for k in node.keywords if k.arg == "mode"))
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and _MODE.search(mode.value) is not None
        and len(mode.value) <= len("wb+")
        for mode in modes
    )


def named_by(node: ast.Call) -> Iterator[ast.Call]:
    """The calls in the path that a call is of, or is given first."""
    paths = [*node.args[:1], *([node.func.value] if isinstance(node.func, ast.Attribute) else ())]
    for path in paths:
        yield from (part for part in ast.walk(path) if isinstance(part, ast.Call))
