"""What `push`, `fetch` and `pull` have in common: their options, and how they end."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.completing import targets as complete_targets
from pivot.cli.here import from_here
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, json_option, open_project, plural, say, seconds, size
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.project.remotes import allow, choose, open_remote
from pivot.project.restoring import wanted
from pivot.store.content import Content
from pivot.store.tree import TreeEntry
from pivot.sync.push import push
from pivot.sync.summary import Summary
from pivot.transfer.jobs import JOBS
from pivot.transfer.remote import RemoteStore


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a command that moves data is about: the outs it means, and the remote."""

    project: Project
    roots: Mapping[RepoPath, Content]
    remote: RemoteStore
    jobs: int
    dry_run: bool
    as_json: bool

    def send(self) -> Summary:
        """Push, with progress."""
        with Progress("pushed") as progress:
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

    def bring(self) -> Summary:
        """Fetch, with progress."""
        # Event loops and staging, which a push with nothing to do need not import.
        from pivot.sync.fetch import fetch  # noqa: PLC0415

        with Progress("fetched") as progress:
            return fetch(
                self.project.store, self.remote, self.roots, jobs=self.jobs, progress=progress
            )

    def foresee_send(self) -> Summary:
        """What a push would come to; a remote that doesn't exist yet has nothing."""
        from pivot.sync.foreseeing import foresee_push  # noqa: PLC0415 - see `bring`

        return foresee_push(self.project.store, self.remote, self.roots, jobs=self.jobs)

    def foresee_bring(self) -> Summary:
        """What a fetch would come to."""
        from pivot.sync.fetch import plan_fetch  # noqa: PLC0415 - see `bring`

        begun = time.monotonic()
        plan = plan_fetch(self.project.store, self.remote, self.roots)
        return Summary(
            objects=plan.objects,
            bytes=plan.bytes,
            total_objects=plan.total_objects,
            total_bytes=plan.total_bytes,
            requests=self.remote.requests,
            seconds=time.monotonic() - begun,
        )


def transfer_command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options of all that move data, as one `Transfer`."""

    @wraps(function)
    def command(
        targets: tuple[str, ...],
        remote: str | None,
        jobs: int | None,
        *,
        dry_run: bool,
        yes: bool,
        as_json: bool,
        **others: Any,
    ) -> None:
        with open_project() as project:
            opened = cache(lambda: use_remote(project, remote, yes=yes))
            roots = wanted(
                project,
                from_here(project.root, targets),
                lambda content: _tree(project, opened, content),
            )
            store = opened()
            at_once = jobs or project.config.number("remote.jobs") or JOBS
            function(Transfer(project, roots, store, at_once, dry_run, as_json), **others)

    return _with_options(command)


def _tree(
    project: Project, opened: Callable[[], RemoteStore], content: Content
) -> Iterator[TreeEntry]:
    """The entries of a directory, which may be in the remote alone."""
    from pivot.sync.fetch import fetch_tree  # noqa: PLC0415 - see `bring`

    if project.store.holds(content):
        return project.store.tree(content)
    return fetch_tree(project.store, opened(), content)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
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


def show_foreseen(verb: str, summary: Summary, *, as_json: bool) -> None:
    """The same for `--dry-run`."""
    if as_json:
        emit(summary.as_json())
        return
    say(
        f"Would {verb} {summary.objects:,} of {summary.total_objects:,} objects,"
        f" {size(summary.bytes)} of {size(summary.total_bytes)}."
    )
