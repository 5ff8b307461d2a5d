"""A stage as plain data: what was declared, with every path resolved and checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from pivot.definition.extra import entry_of
from pivot.hashing import Json
from pivot.outputs import OutSpec
from pivot.paths import RepoPath, StageName


@dataclass(frozen=True, slots=True)
class Stage:
    """One unit of work, as declared; the same on every machine.

    Attributes:
        name: unique in the project, also under case-folding.
        symbol: the function, `package.module:qualname`, as the fingerprint names it.
        source: what defines it, see `pivot.definition.discovery`.
        file: the source that the function stands in; `line` is 1-based.
        deps: sorted, without duplicates; files or directories.
        outs: sorted by path, without duplicates.
        params: the effective parameters as JSON (overrides applied); None without parameters.
        cwd: where the stage runs; paths were resolved against it.
        mutex: groups of which only one stage runs at a time, sorted; `*` means alone.
        secrets: dotted names of parameters that are left out of `params`, sorted.
        extra: what `extra_code` names, sorted: symbols, and paths of the project after `./`.
        version: what makes the stage another one by hand.
    """

    name: StageName
    symbol: str
    source: str
    file: RepoPath
    line: int
    deps: tuple[RepoPath, ...]
    outs: tuple[OutSpec, ...]
    params: Mapping[str, Json] | None
    cwd: RepoPath
    mutex: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    version: int | str | None = None

    @property
    def entry(self) -> str:
        """What its fingerprint is found by: its function, and the symbols that it names besides."""
        return entry_of(self.symbol, self.extra)
