"""`pivot metrics show` and `pivot metrics diff`."""

import click

from pivot.cli.terminal import emit, json_option, open_project, say, table
from pivot.hashing import Json
from pivot.project.metrics import commit_metrics, workspace_metrics
from pivot.show.metrics import compare


@click.group()
def metrics() -> None:
    """Show and compare the values of metric files."""


@metrics.command()
@click.argument("targets", nargs=-1)
@json_option
def show(targets: tuple[str, ...], as_json: bool) -> None:
    """Show the metrics in the workspace, or in the files TARGETS."""
    with open_project() as project:
        found = workspace_metrics(project, targets)
    if as_json:
        emit(found)
        return
    table(
        [
            (path, key, _text(value))
            for path, values in found.items()
            for key, value in values.items()
        ]
    )
    if not found:
        say("No metrics. Declare one with `Metric` in `outs=`.")


@metrics.command()
@click.argument("revision", default="HEAD")
@click.option("--all", "show_all", is_flag=True, help="Show unchanged values, too.")
@json_option
def diff(revision: str, show_all: bool, as_json: bool) -> None:
    """Compare metrics with those at REVISION (default: HEAD)."""
    with open_project() as project:
        old = commit_metrics(project, revision, ())
        new = workspace_metrics(project, ())
    changes = compare(old, new)
    if as_json:
        emit([change.to_json() for change in changes])
        return
    rows = [(c.path, c.key, _text(c.old), _text(c.new), _delta(c.old, c.new)) for c in changes]
    if show_all:
        changed = {(c.path, c.key) for c in changes}
        rows += [
            (path, key, _text(value), _text(value), "")
            for path, values in new.items()
            for key, value in values.items()
            if (path, key) not in changed
        ]
    if rows:
        table([("path", "metric", "old", "new", "change"), *sorted(rows)])
    else:
        say(f"No metric differs from {revision}.")


def _text(value: Json) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)


def _delta(old: Json, new: Json) -> str:
    numbers = [v for v in (old, new) if isinstance(v, int | float) and not isinstance(v, bool)]
    return f"{numbers[1] - numbers[0]:+.6g}" if len(numbers) == 2 else ""
