"""What `fetch` and `pull` have in common: getting data from whichever remotes have it."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from pivot.cli.here import from_here
from pivot.cli.progress import Progress
from pivot.cli.terminal import note, open_project, plural, say, size
from pivot.cli.transferring import named, partly, with_options
from pivot.paths import RepoPath
from pivot.project.givers import givers
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.store.tree import TreeEntry
from pivot.sync.gather import gather, gather_tree, plan_gather
from pivot.sync.givers import Givers, Trouble
from pivot.sync.summary import Summary
from pivot.transfer.jobs import JOBS


@dataclass(frozen=True, slots=True)
class Bringing:
    """What a command that gets data is about: the outs it means, and who may have them."""

    project: Project
    roots: Mapping[RepoPath, Content]
    givers: Givers
    jobs: int
    dry_run: bool
    as_json: bool

    def bring(self) -> Summary:
        """Fetch, with progress; an interrupt says what is kept."""
        kept = _Kept()
        try:
            with Progress("fetched") as shown:
                shown.phase("listing")
                return gather(
                    self.project.store,
                    self.givers,
                    self.roots,
                    jobs=self.jobs,
                    progress=kept.watching(shown),
                )
        except KeyboardInterrupt:
            note(kept.told())
            raise

    def foresee(self) -> Summary:
        """What a fetch would come to."""
        return plan_gather(self.project.store, self.givers, self.roots, jobs=self.jobs)


def bring_command(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the arguments and options of those that get data, as one `Bringing`."""

    @wraps(function)
    def command(
        targets: tuple[str, ...],
        remote: str | None,
        jobs: int | None,
        *,
        dry_run: bool,
        yes: bool,
        as_json: bool,
        rev: tuple[str, ...] = (),
        all_branches: bool = False,
        **others: Any,
    ) -> int:
        with open_project() as project:
            those = givers(
                project.config, project.root, project.store.root, os.environ, remote, yes=yes
            )
            asked = Givers(those, tell)
            roots = named(
                project, from_here(project.root, targets),
                lambda content: _tree(project, asked, content),
                rev, all_branches=all_branches,
            )  # fmt: skip
            at_once = jobs or project.config.number("remote.jobs") or JOBS
            bringing = Bringing(project, roots, asked, at_once, dry_run, as_json)
            with partly(all_branches):
                return function(bringing, **others)

    return with_options(command)


def _tree(project: Project, asked: Givers, content: Content) -> Iterator[TreeEntry]:
    """The entries of a directory, which may be in a remote alone."""
    if project.store.holds(content):
        return project.store.tree(content)
    return gather_tree(project.store, asked, content)


def tell(trouble: Trouble) -> None:
    """Warn that a remote can't give something, and that others are asked for it."""
    note(f"warning: {trouble}")
    if trouble.error.hint is not None:
        note(f"hint: {trouble.error.hint}")


def show_sources(summary: Summary) -> None:
    """Say who gave what, unless that was a single remote."""
    if summary.sources is not None and len(summary.sources) > 1:
        parts = (f"{plural(given.objects, 'object')} from {given.remote}"
                 for given in summary.sources)  # fmt: skip
        say(f"That is {', '.join(parts)}.")


class _Kept:
    """How much of a fetch has arrived."""

    def __init__(self) -> None:
        self._done = 0
        self._total = 0

    def watching(self, progress: Progress) -> Callable[[int, int], None]:
        def watch(done: int, total: int) -> None:
            self._done, self._total = done, total
            progress(done, total)

        return watch

    def told(self) -> str:
        if not self._done:
            return "Nothing was fetched yet."
        return (
            f"{size(self._done)} of {size(self._total)} were fetched and verified, and are kept;"
            " the same command goes on from there."
        )
