"""`pivot pull`: fetch, then checkout."""

import click

from pivot.cli.terminal import emit, open_project, plural, say
from pivot.cli.transferring import (
    bring,
    preview_fetch,
    show_plan,
    show_summary,
    transfer_options,
    use_remote,
)
from pivot.project.restoring import restore, wanted


@click.command()
@transfer_options
@click.option("-f", "--force", is_flag=True, help="Overwrite edited data, too.")
@click.option("--only-missing", is_flag=True, help="Leave what is there alone, whatever it holds.")
def pull(
    targets: tuple[str, ...],
    remote: str | None,
    dry_run: bool,
    jobs: int | None,
    yes: bool,
    as_json: bool,
    force: bool,
    only_missing: bool,
) -> None:
    """Get outs from a remote and put them in place (those of TARGETS): `fetch`, then `checkout`."""
    with open_project() as project:
        roots = wanted(project, targets)
        store = use_remote(project, remote, yes=yes)
        if dry_run:
            show_plan("pull", preview_fetch(project, store, roots), as_json=as_json)
            return
        summary = bring(project, store, roots, jobs)
        done = restore(project, roots, force=force, only_missing=only_missing)
        if as_json:
            emit(summary.as_json())
            return
        show_summary("Fetched", summary, as_json=False)
        say(f"Restored {plural(len(done.restored), 'path')}, {len(done.unchanged)} unchanged.")
