"""`pivot fetch`: what the locks name, from remotes into the cache."""

import click

from pivot.cli.bringing import Bringing, bring_command, show_sources
from pivot.cli.transferring import of_revisions, show_foreseen, show_summary
from pivot.errors import ExitCode


@click.command()
@of_revisions
@bring_command
def fetch(bringing: Bringing) -> int:
    """Get data that the cache lacks (that of TARGETS); the workspace stays as it is.

    Data is outs and what is tracked, as the workspace names it, or revisions do. The default
    remote is asked first, then the others for what it lacks; with `--remote` only that one.
    """
    if bringing.dry_run:
        show_foreseen("fetch", bringing.foresee(), as_json=bringing.as_json)
        return ExitCode.DONE
    summary = bringing.bring()
    show_summary("Fetched", summary, as_json=bringing.as_json)
    if not bringing.as_json:
        show_sources(summary)
    return ExitCode.DONE
