"""What one use of `@stage` said, before anything of it is resolved."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from pivot.outputs import Out

type Function = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A stage as it was written, with every argument checked for its type.

    Attributes:
        name: the stage's name, not yet checked for its characters.
        function: as it was decorated.
        deps: paths as they were written; objects with a path (`pathlib.Path`) as their text.
        outs: outputs; a bare path became an `Out`.
        params: a Pydantic model class or instance, or None.
        mutex: group names, sorted, without duplicates.
        cwd: folder as it was written, or None.
        location: `file:line` of the function, for messages.
        computed: the paths that were not given as text, and so may be absolute.
        extra_code: symbols, and paths as they were written after `./`.
        version: what makes the stage another one by hand.
    """

    name: str
    function: Function
    deps: tuple[str, ...]
    outs: tuple[Out, ...]
    params: object
    mutex: tuple[str, ...]
    cwd: str | None
    location: str
    computed: frozenset[str] = frozenset()
    extra_code: tuple[str, ...] = ()
    version: int | str | None = None


_collector: ContextVar[list[Declaration] | None] = ContextVar("collector", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[list[Declaration]]:
    """Receive the declarations of the modules that are imported within the block, in order."""
    declarations: list[Declaration] = []
    token = _collector.set(declarations)
    try:
        yield declarations
    finally:
        _collector.reset(token)


def declare(declaration: Declaration) -> None:
    """Hand a declaration to whoever is collecting; without anyone, it is forgotten.

    So a module with stages can be imported in a test or a notebook like any other.
    """
    declarations = _collector.get()
    if declarations is not None:
        declarations.append(declaration)


def location(function: Function) -> str:
    """Where a function was written, as `file:line`; a decorated one is followed to its origin."""
    code = origin(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def origin(function: Function) -> Function:
    """The function that `functools.wraps` was given, or `function` itself."""
    seen = {id(function)}
    while (inner := getattr(function, "__wrapped__", None)) is not None and id(inner) not in seen:
        if not hasattr(inner, "__code__"):
            break
        seen.add(id(inner))
        function = inner
    return function
