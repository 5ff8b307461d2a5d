"""`pivot untrack`: let go of tracked data."""

import os

import click

from pivot.cli.completing import tracked as complete_tracked
from pivot.cli.terminal import emit, json_option, note, open_project, say
from pivot.project.tracking import untrack as untrack_paths
from pivot.track.pvt import pvt_path


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_tracked
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
def untrack(paths: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Let go of tracked PATH: remove PATH.pvt, and let Git see the data again.

    The data stays in the workspace, and in the cache until garbage is collected.
    """
    with open_project() as project:
        done = untrack_paths(project, os.getcwd(), paths, dry_run=dry_run)
    if as_json:
        emit({"untracked": [{"path": one.path, "in_workspace": one.is_there} for one in done]})
        return
    for one in done:
        place = "its data stays" if one.is_there else "its data is not in the workspace"
        say(f"{'would untrack' if dry_run else 'untracked'} {one.path} ({place})")
    for one in done:
        if not one.is_there:
            back = f"git checkout HEAD -- {pvt_path(one.path)} && pivot checkout {one.path}"
            note(f"hint: The cache has the data of {one.path} until `pivot gc`: `{back}`")
