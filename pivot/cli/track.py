"""`pivot track`: data that no stage makes, under Pivot's care."""

import os

import click

from pivot.cli.progress import Progress
from pivot.cli.recovering import recover_first
from pivot.cli.terminal import emit, json_option, note, open_project, plural, say, size
from pivot.project.tracking import Tracked, TrackState, oddities
from pivot.project.tracking import track as track_paths
from pivot.track.pvt import pvt_path


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
def track(paths: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Keep data that no stage makes: store it, and write PATH.pvt beside it for Git.

    The data stays where it is, and Git ignores it. For a PATH that is tracked already this takes
    up its changes; a PATH inside a tracked directory is read alone, and one that is gone is taken
    out of the directory.
    """
    with open_project() as project, Progress("read" if dry_run else "stored") as progress:
        recover_first(project)
        done = track_paths(project, os.getcwd(), paths, dry_run=dry_run, progress=progress)
        unseen = () if dry_run else tuple(oddities(project, [one.path for one in done]))
    if as_json:
        emit({"tracked": [_row(one) for one in done]})
    else:
        _show(done, dry_run=dry_run)
    for oddity, hint in unseen:
        note(f"warning: {oddity}")
        note(f"hint: {hint}")


def _row(one: Tracked) -> dict[str, object]:
    return {
        "path": one.path,
        "state": one.state,
        "size": one.content.size,
        "files": one.content.files,
        "parts": list(one.parts),
    }


_DONE = {TrackState.NEW: "tracked", TrackState.UPDATED: "updated"}
_TO_DO = {TrackState.NEW: "would track", TrackState.UPDATED: "would update"}


def _show(done: tuple[Tracked, ...], *, dry_run: bool) -> None:
    words = _TO_DO if dry_run else _DONE
    for one in done:
        files = one.content.files
        count = "" if files is None else f"{plural(files, 'file')}, "
        say(f"{words.get(one.state, 'unchanged')} {one.path} ({count}{size(one.content.size)})")
    changed = [pvt_path(one.path) for one in done if one.state is not TrackState.UNCHANGED]
    if changed and not dry_run:
        named = changed[0] if len(changed) == 1 else plural(len(changed), ".pvt file")
        say(f"Commit {named} to Git with `pivot commit`.")
