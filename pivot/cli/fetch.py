"""`pivot fetch`: what the locks name, from remotes into the cache."""

import click

from pivot.cli.bringing import Bringing, bring_command, show_sources
from pivot.cli.transferring import show_foreseen, show_summary


@click.command()
@bring_command
def fetch(bringing: Bringing) -> None:
    """Get data that the cache lacks (that of TARGETS); the workspace stays as it is.

    Data is outs and what is tracked. The default remote is asked first, then the others for what
    it lacks; with `--remote` only that one.
    """
    if bringing.dry_run:
        show_foreseen("fetch", bringing.foresee(), as_json=bringing.as_json)
        return
    summary = bringing.bring()
    show_summary("Fetched", summary, as_json=bringing.as_json)
    if not bringing.as_json:
        show_sources(summary)
