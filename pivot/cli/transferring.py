"""What `push`, `fetch` and `pull` have in common: their options, and how they end."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, wraps
from typing import Any, Self

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.completing import revisions as complete_revisions
from pivot.cli.completing import targets as complete_targets
from pivot.cli.here import from_here
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, json_option, note, open_project, plural, say, seconds, size
from pivot.errors import ExitCode, MissingDataError, PartialError
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.project.remotes import allow, choose, open_remote
from pivot.project.wanted import wanted
from pivot.store.content import Content
from pivot.store.tree import TreeEntry
from pivot.sync.push import push
from pivot.sync.summary import Summary
from pivot.track.directory import ReadTree
from pivot.transfer.jobs import JOBS
from pivot.transfer.remote import RemoteStore


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a command that moves data is about: the outs it means, and the remote.

    Where it is `lenient`, what neither side has doesn't stop the rest: that is `absent`.
    """

    project: Project
    roots: Mapping[RepoPath, Content]
    remote: RemoteStore
    jobs: int
    dry_run: bool
    as_json: bool
    lenient: bool = False
    absent: tuple[RepoPath, ...] = ()

    def sendable(self) -> Self:
        """The same without the outs that neither side has, which are `absent` then."""
        from pivot.sync.absent import split_absent  # noqa: PLC0415 - as `Wish.roots`

        roots, absent = split_absent(self.project.store, self.remote, self.roots)
        return replace(self, roots=roots, absent=absent)

    def send(self) -> Summary:
        """Push, with progress."""
        with Progress("pushed") as progress:
            progress.phase(f"listing {self.remote.address}")
            return push(
                self.project.store,
                self.remote,
                self.roots,
                jobs=self.jobs,
                progress=progress,
                note=self._note,
            )

    def _note(self) -> None:
        """Note the project there, so that a collection of the remote asks for it."""
        self.remote.projects.note(self.project.root, self.project.pusher, time.time)

    def foresee_send(self) -> Summary:
        """What a push would come to; a remote that doesn't exist yet has nothing."""
        from pivot.sync.foreseeing import foresee_push  # noqa: PLC0415 - as `Wish.roots`

        return foresee_push(self.project.store, self.remote, self.roots, jobs=self.jobs)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is said to a command that moves data: its arguments, and the options of all of them."""

    targets: tuple[str, ...]
    remote: str | None
    jobs: int
    dry_run: bool
    yes: bool
    as_json: bool
    revisions: tuple[str, ...]
    all_branches: bool

    def roots(self, project: Project, read_tree: ReadTree) -> Mapping[RepoPath, Content]:
        """What TARGETS mean in the workspace, or in the revisions that are named."""
        targets = from_here(project.root, self.targets)
        if not self.revisions and not self.all_branches:
            return wanted(project, targets, read_tree)
        # What reads Git's history, which a push of the workspace need not import.
        from pivot.project.revised import revised  # noqa: PLC0415

        return revised(project, self.revisions, targets, all_branches=self.all_branches)


def moving[T](
    function: Callable[..., int], prepare: Callable[[Project, Wish], T]
) -> Callable[..., int]:
    """Give a command the arguments and options of all that move data, as what `prepare` makes."""

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
            at_once = jobs or project.config.number("remote.jobs") or JOBS
            wish = Wish(targets, remote, at_once, dry_run, yes, as_json, rev, all_branches)
            prepared = prepare(project, wish)
            with partly(all_branches):
                return function(prepared, **others)

    return _with_options(command)


def transfer_command(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command that sends data its arguments and options, as one `Transfer`."""
    return moving(function, _transfer)


def _transfer(project: Project, wish: Wish) -> Transfer:
    opened = cache(lambda: use_remote(project, wish.remote, yes=wish.yes))
    roots = wish.roots(project, lambda content: _tree(project, opened, content))
    lenient = wish.all_branches
    return Transfer(project, roots, opened(), wish.jobs, wish.dry_run, wish.as_json, lenient)


@contextlib.contextmanager
def partly(all_branches: bool) -> Iterator[None]:
    """Of all branches, some old data may be gone for good: then a part was done."""
    try:
        yield
    except MissingDataError as error:
        if not all_branches:
            raise
        raise PartialError(error.message, why=error.why, hint=error.hint) from error


def of_revisions(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command that moves data the options that name revisions in the workspace's place."""
    for decorate in (
        click.option(
            "-a",
            "--all-branches",
            is_flag=True,
            help="What the tips of all branches name, here and of Git's remotes.",
        ),
        click.option(
            "--rev",
            multiple=True,
            metavar="REV",
            shell_complete=complete_revisions,
            help="What a commit names, or those of a range A..B; more than one may be given.",
        ),
    ):
        command = decorate(command)
    return command


def _tree(
    project: Project, opened: Callable[[], RemoteStore], content: Content
) -> Iterator[TreeEntry]:
    """The entries of a directory, which may be in the remote alone."""
    from pivot.sync.fetch import fetch_tree  # noqa: PLC0415 - as `Wish.roots`

    if project.store.holds(content):
        return project.store.tree(content)
    return fetch_tree(project.store, opened(), content)


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of all that move data."""
    for decorate in (
        json_option,
        click.option("--yes", is_flag=True, help="Trust an address that came with Git."),
        click.option("-j", "--jobs", type=click.IntRange(1), help="Transfers at once."),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would move; move nothing."),
        click.option("-r", "--remote", shell_complete=complete_remotes, help="Which remote."),
        click.argument("targets", nargs=-1, shell_complete=complete_targets),
    ):
        command = decorate(command)
    return command


def use_remote(project: Project, name: str | None, *, yes: bool) -> RemoteStore:
    """The remote that a command is about, if it may be used."""
    chosen = choose(project.config, os.environ, name)
    allow(chosen, project.root, os.environ, yes=yes)
    return open_remote(chosen, project.root, project.store.root)


def show_summary(verb: str, summary: Summary, *, as_json: bool) -> None:
    """The closing line, which tells how much was there already."""
    if as_json:
        emit(summary.as_json())
        return
    say(
        f"{verb} {summary.objects:,} of {summary.total_objects:,} objects,"
        f" {size(summary.bytes)} of {size(summary.total_bytes)},"
        f" {plural(summary.requests, 'request')}, {seconds(summary.seconds)}."
    )


def show_foreseen(verb: str, summary: Summary, *, as_json: bool, to: str | None = None) -> None:
    """The same for `--dry-run`."""
    if as_json:
        emit(summary.as_json())
        return
    say(
        f"Would {verb} {summary.objects:,} of {summary.total_objects:,} objects{_to(to)},"
        f" {size(summary.bytes)} of {size(summary.total_bytes)}."
    )


def _to(place: str | None) -> str:
    return "" if place is None else f" to {place}"


def show_absent(transfer: Transfer) -> ExitCode:
    """Name what was left out since neither side has it; how the command ends by that."""
    for path in transfer.absent:
        note(
            f"warning: the data of {path} is neither in the cache nor in {transfer.remote.address}"
        )
    return ExitCode.PARTIAL if transfer.absent else ExitCode.DONE
