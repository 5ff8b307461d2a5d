"""`pivot pull`: fetch, then checkout."""

import click

from pivot.cli.checkout import show_counts
from pivot.cli.progress import Progress
from pivot.cli.transferring import Transfer, show_foreseen, show_summary, transfer_command
from pivot.errors import ExitCode
from pivot.project.restoring import restore


@click.command()
@transfer_command
@click.option("-f", "--force", is_flag=True, help="Overwrite edited data, too.")
@click.option("--only-missing", is_flag=True, help="Leave what is there alone, whatever it holds.")
def pull(transfer: Transfer, *, force: bool, only_missing: bool) -> int:
    """Get data from a remote and put it in place (that of TARGETS): `fetch`, then `checkout`.

    Data is outs and what is tracked.
    """
    if transfer.dry_run:
        show_foreseen("pull", transfer.foresee_bring(), as_json=transfer.as_json)
        return ExitCode.DONE
    with transfer.project.store.in_use():  # what was fetched stays until it is in place
        summary = transfer.bring()
        with Progress("restored") as progress:
            done = restore(
                transfer.project,
                transfer.roots,
                force=force,
                only_missing=only_missing,
                progress=progress,
            )
    show_summary("Fetched", summary, as_json=transfer.as_json)
    if not transfer.as_json:
        show_counts(done)
    return ExitCode.DONE
