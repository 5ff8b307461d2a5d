"""What `push`, `fetch` and `pull` have in common: their options, and how they end."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.completing import stages as complete_stages
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, json_option, say, seconds, size
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.project.remotes import allow, choose, open_remote
from pivot.store.content import Content
from pivot.sync.fetch import fetch, plan_fetch
from pivot.sync.plan import SyncPlan, plan_push
from pivot.sync.push import push
from pivot.sync.summary import Summary
from pivot.transfer.remote import RemoteStore


def transfer_options[F: Callable[..., Any]](command: F) -> F:
    """The arguments and options of every command that moves data."""
    for decorate in (
        json_option,
        click.option("--yes", is_flag=True, help="Trust an address that came with Git."),
        click.option("-j", "--jobs", type=click.IntRange(1), help="Transfers at once."),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would move; move nothing."),
        click.option("-r", "--remote", shell_complete=complete_remotes, help="Which remote."),
        click.argument("targets", nargs=-1, shell_complete=complete_stages),
    ):
        command = decorate(command)
    return command


def use_remote(project: Project, name: str | None, *, yes: bool) -> RemoteStore:
    """The remote that a command is about, if it may be used."""
    chosen = choose(project.config, os.environ, name)
    allow(chosen, project.root, os.environ, yes=yes)
    return open_remote(chosen, project.root, project.store.root)


def send(
    project: Project, remote: RemoteStore, roots: Mapping[RepoPath, Content], jobs: int | None
) -> Summary:
    """Push with progress."""
    progress = Progress("pushed")
    try:
        return push(project.store, remote, roots, jobs=_jobs(project, jobs), progress=progress)
    finally:
        progress.close()


def bring(
    project: Project, remote: RemoteStore, roots: Mapping[RepoPath, Content], jobs: int | None
) -> Summary:
    """Fetch with progress."""
    progress = Progress("fetched")
    try:
        return fetch(project.store, remote, roots, jobs=_jobs(project, jobs), progress=progress)
    finally:
        progress.close()


def _jobs(project: Project, jobs: int | None) -> int:
    return jobs or project.config.number("remote.jobs") or 8


def preview_push(
    project: Project, remote: RemoteStore, roots: Mapping[RepoPath, Content]
) -> SyncPlan:
    """What a push would send; a remote that doesn't exist yet has nothing."""
    return plan_push(project.store, remote, roots)


def preview_fetch(
    project: Project, remote: RemoteStore, roots: Mapping[RepoPath, Content]
) -> SyncPlan:
    """What a fetch would bring."""
    return plan_fetch(project.store, remote, roots)


def show_summary(verb: str, summary: Summary, *, as_json: bool) -> None:
    """The closing line, which tells how much was there already."""
    if as_json:
        emit(summary.as_json())
        return
    say(
        f"{verb} {summary.objects:,} of {summary.total_objects:,} objects,"
        f" {size(summary.bytes)} of {size(summary.total_bytes)},"
        f" {summary.requests:,} requests, {seconds(summary.seconds)}."
    )


def show_plan(verb: str, plan: SyncPlan, *, as_json: bool) -> None:
    """The same for `--dry-run`."""
    if as_json:
        emit({"objects": plan.objects, "bytes": plan.bytes, "total_objects": plan.total_objects,
              "total_bytes": plan.total_bytes})  # fmt: skip
        return
    say(
        f"Would {verb} {plan.objects:,} of {plan.total_objects:,} objects,"
        f" {size(plan.bytes)} of {size(plan.total_bytes)}."
    )
