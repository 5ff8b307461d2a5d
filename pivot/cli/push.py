"""`pivot push`: what the locks name, to a remote."""

import click

from pivot.cli.terminal import open_project
from pivot.cli.transferring import (
    preview_push,
    send,
    show_plan,
    show_summary,
    transfer_options,
    use_remote,
)
from pivot.project.restoring import wanted


@click.command()
@transfer_options
def push(
    targets: tuple[str, ...],
    remote: str | None,
    dry_run: bool,
    jobs: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Send outs that a remote lacks (those of TARGETS), and nothing else.

    TARGETS are stages, paths, or folders. What is sent is decided from the locks in the workspace
    and the remote's indexes; an interrupted push goes on where it stopped.
    """
    with open_project() as project:
        roots = wanted(project, targets)
        store = use_remote(project, remote, yes=yes)
        if dry_run:
            show_plan("push", preview_push(project, store, roots), as_json=as_json)
            return
        show_summary("Pushed", send(project, store, roots, jobs), as_json=as_json)
