"""`pivot fetch`: what the locks name, from a remote into the cache."""

import click

from pivot.cli.terminal import open_project
from pivot.cli.transferring import (
    bring,
    preview_fetch,
    show_plan,
    show_summary,
    transfer_options,
    use_remote,
)
from pivot.project.restoring import wanted


@click.command()
@transfer_options
def fetch(
    targets: tuple[str, ...],
    remote: str | None,
    dry_run: bool,
    jobs: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Get outs that the cache lacks (those of TARGETS); the workspace stays as it is."""
    with open_project() as project:
        roots = wanted(project, targets)
        store = use_remote(project, remote, yes=yes)
        if dry_run:
            show_plan("fetch", preview_fetch(project, store, roots), as_json=as_json)
            return
        show_summary("Fetched", bring(project, store, roots, jobs), as_json=as_json)
