"""`pivot push`: what the locks name, to a remote."""

import click

from pivot.cli.transferring import (
    Transfer,
    of_revisions,
    show_absent,
    show_foreseen,
    show_summary,
    transfer_command,
)


@click.command()
@of_revisions
@transfer_command
def push(transfer: Transfer) -> int:
    """Send data that a remote lacks (that of TARGETS), and nothing else.

    Data is outs and what is tracked; TARGETS are stages, paths, or folders. What is sent is decided
    from the locks and .pvt files in the workspace, or in revisions, and the remote's indexes; after
    an interrupt at most what the last minute sent is sent again. Of all branches, what is nowhere
    any more is named, the rest is sent, and the exit code is 3.
    """
    transfer = transfer.sendable() if transfer.lenient else transfer
    if transfer.dry_run:
        to = transfer.remote.address
        show_foreseen("push", transfer.foresee_send(), as_json=transfer.as_json, to=to)
    else:
        show_summary("Pushed", transfer.send(), as_json=transfer.as_json)
    return show_absent(transfer)
