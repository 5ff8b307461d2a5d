"""What `fetch` and `pull` have in common: getting data from whichever remotes have it."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pivot.cli.progress import Progress
from pivot.cli.terminal import note, plural, say, size
from pivot.cli.transferring import Wish, moving
from pivot.paths import RepoPath
from pivot.project.givers import givers
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.store.tree import TreeEntry
from pivot.sync.gather import gather, gather_tree, plan_gather
from pivot.sync.givers import Givers, Trouble
from pivot.sync.summary import Summary


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
    """Give a command that gets data its arguments and options, as one `Bringing`."""
    return moving(function, _bringing)


def _bringing(project: Project, wish: Wish) -> Bringing:
    root, store = project.root, project.store.root
    asked = Givers(givers(project.config, root, store, os.environ, wish.remote, yes=wish.yes), tell)
    roots = wish.roots(project, lambda content: _tree(project, asked, content))
    return Bringing(project, roots, asked, wish.jobs, wish.dry_run, wish.as_json)


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
