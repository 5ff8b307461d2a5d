"""`pivot gc`: remove from the cache what nothing needs any more."""

import re
import time

import click

from pivot.cli.progress import Progress
from pivot.cli.terminal import (
    emit,
    json_option,
    note,
    note_waiting,
    open_project,
    plural,
    say,
    size,
    table,
)
from pivot.errors import ExitCode, UsageError
from pivot.project.collecting import Collected, Kept, collect, preview
from pivot.project.roots import Scope

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400, "m": 30 * 86400, "y": 365 * 86400}
_AGE = re.compile(r"(\d{1,6})([hdwmy])")


class Age(click.ParamType[float]):
    """A length of time: 12h, 30d, 8w, 6m (of 30 days), 1y. In seconds."""

    name = "age"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = _AGE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is no age: write 12h, 30d, 8w, 6m or 1y", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


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
) -> int:
    """Remove data from the cache that nothing in the named scopes needs.

    What the workspace's locks and tracked files name always stays; each scope adds to it, and at
    least one must be named. Files in the workspace, Git and remotes stay as they are. All projects
    that share the cache are asked. Nothing is removed if a lock can't be read.
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
            hint="Look first: `pivot gc --all-commits --dry-run`",
        )
    since = None if older_than is None else time.time() - older_than
    scope = Scope(branches, tags, all_commits, keep_runs or 0, since)
    with open_project() as project:
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
        "kept": [
            {
                "project": kept.project,
                "path": kept.path,
                "id": kept.content.id.hex(),
                "size": kept.content.size,
                "held": kept.is_held,
                "keepers": kept.keepers.names,
                "keepers_total": kept.keepers.count,
            }
            for kept in done.kept
        ],
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
        table([_row(kept) for kept in done.kept if kept.is_held])
    plan, would = done.plan, "Would remove" if dry_run else "Removed"
    removed = f"{plan.removed_entries:,} of {plan.removed_entries + plan.kept_entries:,} entries"
    packs = f"{plural(len(plan.remove), 'pack')} removed, {len(plan.repack)} rewritten"
    if done.unfinished is not None:
        packs = f"{plural(len(plan.remove), 'pack')} removed"
    say(f"{would} {removed}, {size(done.removed_bytes)} ({packs}).")
    if done.unfinished is not None:
        note(f"warning: {done.unfinished}")
        note(f"hint: {done.unfinished.hint}")


def _row(kept: Kept) -> tuple[str, str, str, str]:
    more = kept.keepers.count - len(kept.keepers.names)
    keepers = ", ".join(kept.keepers.names) + (f" and {more} more" if more else "")
    path = kept.path if kept.project is None else f"{kept.project}: {kept.path}"
    return path, kept.content.id.hex()[:8], size(kept.content.size), keepers
