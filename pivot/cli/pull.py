"""`pivot pull`: fetch, then checkout."""

import click

from pivot.cli.bringing import Bringing, bring_command, show_sources
from pivot.cli.checkout import show_counts
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit
from pivot.cli.transferring import show_foreseen, show_summary
from pivot.errors import ExitCode
from pivot.project.restoring import restore


@click.command()
@bring_command
@click.option("-f", "--force", is_flag=True, help="Overwrite edited data, too.")
@click.option("--only-missing", is_flag=True, help="Leave what is there alone, whatever it holds.")
def pull(bringing: Bringing, *, force: bool, only_missing: bool) -> int:
    """Get data from remotes and put it in place (that of TARGETS): `fetch`, then `checkout`.

    Data is outs and what is tracked. The default remote is asked first, then the others for what
    it lacks; with `--remote` only that one.
    """
    if bringing.dry_run:
        show_foreseen("pull", bringing.foresee(), as_json=bringing.as_json)
        return ExitCode.DONE
    with bringing.project.store.in_use():  # what was fetched stays until it is in place
        summary = bringing.bring()
        with Progress("restored") as progress:
            done = restore(
                bringing.project,
                bringing.roots,
                force=force,
                only_missing=only_missing,
                progress=progress,
            )
    if bringing.as_json:
        counts = {"restored": done.restored, "unchanged": done.unchanged, "left": done.left}
        emit({**summary.as_json(), **{name: len(paths) for name, paths in counts.items()}})
        return ExitCode.DONE
    show_summary("Fetched", summary, as_json=False)
    show_sources(summary)
    show_counts(done)
    return ExitCode.DONE
