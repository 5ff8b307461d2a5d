"""What a run used beyond what its stage declares, and the errors that this can lead to."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pivot.errors import PivotError
from pivot.lock.observed import Observed
from pivot.paths import RepoPath

PROCESSES: Final = "child processes"
"""Stands among what is `unseen` for a stage that started some."""

_SHOWN: Final = 3


class UnvouchedError(PivotError):
    """A stage returned, but no lock can vouch for its outs; they stay where they are."""


class ChangedMeanwhileError(UnvouchedError):
    """What a stage read changed while it ran: its outs stay, no lock vouches for them."""

    code = "changed_meanwhile"


class UndeclaredError(UnvouchedError):
    """With `run.strict`: a stage read or wrote files of the project that it doesn't declare."""

    code = "undeclared"


@dataclass(frozen=True, slots=True)
class Use:
    """What a run used beyond what its stage declares.

    Attributes:
        observed: what its lock says of it.
        reads: data files of the project that aren't among the deps.
        listed: folders of the project that aren't among the deps, of which it took the names.
        writes: files of the project that aren't among the outs and are still there.
        unseen: why more may have been used, in words.
    """

    observed: Observed = field(default_factory=Observed)
    reads: tuple[RepoPath, ...] = ()
    listed: tuple[RepoPath, ...] = ()
    writes: tuple[RepoPath, ...] = ()
    unseen: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.reads or self.listed or self.writes or self.unseen)

    def undeclared(self, cwd: RepoPath) -> Iterator[tuple[str, str]]:
        """What should be declared, and how; paths in hints are relative to the stage's `cwd`."""
        for verb, paths, where in (("read", self.reads, "deps"), ("wrote", self.writes, "outs")):
            if paths:
                names = f"{where}=[{_quoted(paths, cwd)}]"
                yield (
                    f"{verb} {_enumerated(paths)}, which {_are(paths)} not among its {where}",
                    f"Declare what belongs to it: `{names}`",
                )
        if self.listed:
            folders = [f"{path}/" for path in self.listed]
            names = f": `deps=[{_quoted(self.listed, cwd)}]`"
            is_all = RepoPath.ROOT in self.listed  # no dep, since it holds the outs as well
            yield (
                f"listed {_enumerated(folders)}, which {_are(folders)} not among its deps",
                "Declare the files that it takes from there"
                + ("" if is_all else f", or all of it{names}"),
            )

    def messages(self, cwd: RepoPath, *, strict: bool) -> Iterator[tuple[str, str | None]]:
        """What people should know, each with what helps, where something does.

        That processes were started is everyday, and matters where nothing may be undeclared.
        """
        yield from self.undeclared(cwd)
        for what in self.unseen:
            if strict or what != PROCESSES:
                yield f"was not seen as a whole: {what}", None

    def refuse(self, cwd: RepoPath) -> None:
        """Raise `UndeclaredError` if anything should be declared that isn't."""
        found = list(self.undeclared(cwd))
        if found:
            unseen = ", ".join(("native readers such as pyarrow", *self.unseen))
            raise UndeclaredError(
                "it " + "; it ".join(message for message, _ in found),
                why=f"run.strict allows no undeclared files (not seen: {unseen})",
                hint=". ".join(hint for _, hint in found),
            )


def _are(paths: Sequence[str]) -> str:
    return "is" if len(paths) == 1 else "are"


def _quoted(paths: Sequence[RepoPath], cwd: RepoPath) -> str:
    names = [f'"{os.path.relpath(path, cwd)}"' for path in paths[:_SHOWN]]
    return ", ".join(names) + (", ..." if len(paths) > _SHOWN else "")


def _enumerated(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
