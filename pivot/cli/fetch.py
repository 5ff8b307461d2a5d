"""`pivot fetch`: what the locks name, from a remote into the cache."""

import click

from pivot.cli.transferring import Transfer, show_foreseen, show_summary, transfer_command


@click.command()
@transfer_command
def fetch(transfer: Transfer) -> None:
    """Get data that the cache lacks (that of TARGETS); the workspace stays as it is.

    Data is outs and what is tracked.
    """
    if transfer.dry_run:
        show_foreseen("fetch", transfer.foresee_bring(), as_json=transfer.as_json)
    else:
        show_summary("Fetched", transfer.bring(), as_json=transfer.as_json)
