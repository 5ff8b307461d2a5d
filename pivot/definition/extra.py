"""`extra_code=`: what a stage names as its code because analysis can't see that it uses it.

An entry is a symbol, `package.module:name`, or a path, which begins with `./` in locks so that it
can't be taken for one. `package.module:<module>` is a module as a whole.
"""

import os
import re
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Final

from pivot.errors import DefinitionError

PATH: Final = "./"
"""How an entry begins that is a path of the project, and not a symbol."""

_MODULE: Final = "<module>"
_SYMBOL: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:(<module>|[^\W\d]\w*(\.[^\W\d]\w*)*)")
_MAGIC: Final = frozenset("*?[")


def is_path(entry: str) -> bool:
    """Whether an entry of `extra_code`, or of a lock's `code`, is a path."""
    return entry.startswith(PATH)


def is_pattern(path: str) -> bool:
    """Whether a path may stand for several, as `sql/*.sql` does."""
    return not _MAGIC.isdisjoint(path)


def fixed_part(pattern: str) -> str:
    """The folder that all paths of a pattern lie in: what comes before the first wild component."""
    parts = pattern.split("/")
    wild = next((i for i, part in enumerate(parts) if is_pattern(part)), len(parts))
    return "/".join(parts[:wild]) or "."


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a path is one that a pattern stands for; `**` stands for any number of folders."""
    from glob import translate  # noqa: PLC0415 - few projects have patterns

    match = re.compile(translate(pattern, recursive=True, seps="/")).match
    return lambda path: match(path) is not None


def read_entry(value: object, refuse: Callable[[str, str], DefinitionError]) -> str:
    """An item of `extra_code` as a symbol, or as a path that is still relative to the stage.

    Args:
        value: a path or pattern, a symbol as text, or the function, class or module itself.
        refuse: makes the error of a reason and a remedy.
    """
    if isinstance(value, ModuleType):
        return f"{value.__name__}:{_MODULE}"
    if isinstance(value, FunctionType | type):
        return _named(value, refuse)
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        if isinstance(text, str) and text:
            return text if isinstance(value, str) and _SYMBOL.fullmatch(text) else PATH + text
    raise refuse(
        f"{value!r} is neither a path nor code that has a name",
        'Name it as text: "package.module:name", or the path of its file',
    )


def _named(value: FunctionType | type, refuse: Callable[[str, str], DefinitionError]) -> str:
    """A function's or class's symbol, which is that of the class for a method."""
    top = value.__qualname__.partition(".")[0]
    symbol = f"{value.__module__}:{top}"
    if "<locals>" in value.__qualname__ or _SYMBOL.fullmatch(symbol) is None:
        raise refuse(
            f"{value.__qualname__} of {value.__module__} isn't found by its name",
            "Name what stands at the top level of a module: the function that makes it, say",
        )
    return symbol


def symbols_of(entries: Sequence[str]) -> tuple[str, ...]:
    """The entries that are symbols."""
    return tuple(entry for entry in entries if not is_path(entry))


def entry_of(symbol: str, extra: Sequence[str]) -> str:
    """What the fingerprint of a function is found by, if these entries are reached with it."""
    return " ".join([symbol, *symbols_of(extra)])


def paths_of(entries: Sequence[str]) -> tuple[str, ...]:
    """The paths and patterns among the entries, without what marks them."""
    return tuple(entry.removeprefix(PATH) for entry in entries if is_path(entry))
