"""`pivot fetch`: what the locks name, from a remote into the cache."""

import click

from pivot.cli.transferring import (
    Transfer,
    of_revisions,
    show_foreseen,
    show_summary,
    transfer_command,
)
from pivot.errors import ExitCode


@click.command()
@of_revisions
@transfer_command
def fetch(transfer: Transfer) -> int:
    """Get data that the cache lacks (that of TARGETS); the workspace stays as it is.

    Data is outs and what is tracked, as the workspace names it, or revisions do.
    """
    if transfer.dry_run:
        show_foreseen("fetch", transfer.foresee_bring(), as_json=transfer.as_json)
    else:
        show_summary("Fetched", transfer.bring(), as_json=transfer.as_json)
    return ExitCode.DONE
