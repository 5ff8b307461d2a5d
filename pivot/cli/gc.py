"""`pivot gc`: remove from the cache, or from a remote, what nothing needs any more."""

import time
from collections.abc import Mapping

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.kept import kept_as_json, show_kept
from pivot.cli.progress import Progress
from pivot.cli.remote_gc import RemoteOptions
from pivot.cli.remote_gc import run as run_remote
from pivot.cli.terminal import (
    emit,
    json_option,
    note,
    note_waiting,
    open_project,
    plural,
    say,
    size,
)
from pivot.errors import ExitCode, UsageError
from pivot.project.collecting import Collected, collect, preview
from pivot.project.project import Project
from pivot.project.remote_collecting import Asked
from pivot.project.roots import Scope
from pivot.settings import age


class Age(click.ParamType[float]):
    """A length of time: 12h, 30d, 8w, 6m (of 30 days), 1y. In seconds."""

    name = "age"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = age(value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is no age: write 12h, 30d, 8w, 6m or 1y", param, ctx)
        return found


@click.command()
@click.option("-w", "--workspace", is_flag=True, help="Keep what the workspace needs (always so).")
@click.option("-b", "--branches", is_flag=True, help="Keep what the tips of all branches need.")
@click.option("-t", "--tags", is_flag=True, help="Keep what all tags need.")
@click.option("-A", "--all-commits", is_flag=True, help="Keep what any commit of any ref needs.")
@click.option(
    "--keep-runs",
    type=click.IntRange(0),
    metavar="N",
    help="Keep the results of this clone's last N runs.",
)
@click.option(
    "--older-than",
    type=Age(),
    metavar="AGE",
    help="Keep what commits and runs younger than AGE need: 12h, 30d, 8w, 6m, 1y.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what stays and why; remove nothing.")
@click.option("--no-wait", is_flag=True, help="Fail at once if others use the cache.")
@click.option(
    "-r",
    "--remote",
    metavar="NAME",
    shell_complete=complete_remotes,
    help="Collect this remote instead of the cache; a dry run without --apply.",
)
@click.option("--apply", is_flag=True, help="Mark packs of the remote, delete those marked before.")
@click.option(
    "--grace",
    type=Age(),
    metavar="AGE",
    help="Delete what was marked so long ago.  [default: gc.grace, 14d]",
)
@click.option("--allow-short-grace", is_flag=True, help="Allow a grace of less than a day.")
@click.option(
    "--project",
    "clones",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Keep also what this clone of another project needs.",
)
@click.option("--gone", multiple=True, metavar="ID", help="A project that pushes no more.")
@click.option("--yes", is_flag=True, help="Trust an address that came with Git.")
@json_option
def gc(
    *,
    workspace: bool,
    branches: bool,
    tags: bool,
    all_commits: bool,
    keep_runs: int | None,
    older_than: float | None,
    dry_run: bool,
    no_wait: bool,
    as_json: bool,
    remote: str | None,
    **options: bool | float | tuple[str, ...] | None,
) -> int:
    """Remove data from the cache that nothing in the named scopes needs.

    What the workspace's locks and tracked files name always stays; each scope adds to it, and at
    least one must be named. Files in the workspace and Git stay as they are. All projects that
    share the cache are asked. Nothing is removed if a lock can't be read.

    With `--remote NAME` the remote is collected instead: `--apply` marks packs that nothing needs,
    and deletes those that were marked longer than the grace ago. Fetch all branches first.
    """
    if not (
        workspace
        or branches
        or tags
        or all_commits
        or older_than is not None
        or keep_runs is not None
    ):
        raise UsageError(
            "gc needs to be told what to keep",
            why="without a scope it could remove what other branches need",
            hint=f"Look first: `pivot gc --all-commits {_look(remote)}`",
        )
    since = None if older_than is None else time.time() - older_than
    scope = Scope(branches, tags, all_commits, keep_runs or 0, since)
    if remote is None:
        _refuse_remote_options(options)
        with open_project() as project:
            return _collect(project, scope, dry_run=dry_run, no_wait=no_wait, as_json=as_json)
    if dry_run and options["apply"]:
        raise UsageError("--dry-run and --apply contradict each other")
    with open_project() as project:
        return run_remote(project, *_remote_options(remote, scope, options, as_json=as_json))


def _look(remote: str | None) -> str:
    """The option by which nothing is removed; of a remote nothing is unless one says so."""
    return "--dry-run" if remote is None else f"--remote {remote}"


def _refuse_remote_options(options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if value:
            option = "--" + {"clones": "project"}.get(name, name).replace("_", "-")
            raise UsageError(
                f"{option} is for a remote", hint="Name one with `--remote NAME`, or leave it out"
            )


def _remote_options(
    name: str,
    scope: Scope,
    options: Mapping[str, bool | float | tuple[str, ...] | None],
    *,
    as_json: bool,
) -> tuple[RemoteOptions, Asked]:
    grace, clones, gone = options["grace"], options["clones"], options["gone"]
    return (
        RemoteOptions(
            name,
            apply=bool(options["apply"]),
            grace=grace if isinstance(grace, float) else None,
            allow_short_grace=bool(options["allow_short_grace"]),
            yes=bool(options["yes"]),
            as_json=as_json,
        ),
        Asked(
            scope,
            clones if isinstance(clones, tuple) else (),
            gone if isinstance(gone, tuple) else (),
        ),
    )


def _collect(
    project: Project, scope: Scope, *, dry_run: bool, no_wait: bool, as_json: bool
) -> ExitCode:
    if dry_run:
        done = preview(project, scope)
    else:
        with Progress("rewrote") as progress:
            done = collect(
                project, scope, wait=not no_wait, waiting=note_waiting, progress=progress
            )
    if as_json:
        emit(_as_json(done, dry_run=dry_run))
    else:
        _show(done, dry_run=dry_run)
    return ExitCode.DONE if done.unfinished is None else ExitCode.PARTIAL


def _as_json(done: Collected, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "kept": kept_as_json(done.kept),
        "kept_entries": done.plan.kept_entries,
        "kept_bytes": done.plan.kept_bytes,
        "removed_entries": done.plan.removed_entries,
        "removed_bytes": done.removed_bytes,
        "packs_removed": len(done.plan.remove),
        "packs_rewritten": 0 if done.unfinished else len(done.plan.repack),
        "unfinished": None if done.unfinished is None else str(done.unfinished),
    }


def _show(done: Collected, *, dry_run: bool) -> None:
    if dry_run:
        show_kept(done.kept)
    plan, would = done.plan, "Would remove" if dry_run else "Removed"
    removed = f"{plan.removed_entries:,} of {plan.removed_entries + plan.kept_entries:,} entries"
    packs = f"{plural(len(plan.remove), 'pack')} removed, {len(plan.repack)} rewritten"
    if done.unfinished is not None:
        packs = f"{plural(len(plan.remove), 'pack')} removed"
    say(f"{would} {removed}, {size(done.removed_bytes)} ({packs}).")
    if done.unfinished is not None:
        note(f"warning: {done.unfinished}")
        note(f"hint: {done.unfinished.hint}")
