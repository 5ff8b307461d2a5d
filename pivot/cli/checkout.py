"""`pivot checkout`: data from the cache into the workspace."""

import click

from pivot.checkout import CheckoutPlan
from pivot.cli.completing import targets as complete_targets
from pivot.cli.here import from_here
from pivot.cli.progress import Progress
from pivot.cli.recovering import recover_first
from pivot.cli.terminal import emit, json_option, open_project, plural, say
from pivot.project.restoring import Restored, preview, restore
from pivot.project.wanted import wanted


@click.command()
@click.argument("targets", nargs=-1, shell_complete=complete_targets)
@click.option("-f", "--force", is_flag=True, help="Overwrite edited data, too.")
@click.option("--only-missing", is_flag=True, help="Leave what is there alone, whatever it holds.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
def checkout(
    targets: tuple[str, ...], force: bool, only_missing: bool, dry_run: bool, as_json: bool
) -> None:
    """Put data in place as the locks and .pvt files have it (that of TARGETS).

    Data is outs and what is tracked. TARGETS are stages, files or folders, named from the
    project's root, or as `./FILE` from here; a path inside a tracked directory is put in place
    alone. Data that you edited is never overwritten without `--force`.
    """
    with open_project() as project:
        if not dry_run:
            recover_first(project)
        entries = wanted(project, from_here(project.root, targets))
        if dry_run:
            plan = preview(project, entries, only_missing=only_missing)
            show_preview(plan, as_json=as_json, force=force)
            return
        with Progress("restored") as progress:
            done = restore(
                project, entries, force=force, only_missing=only_missing, progress=progress
            )
        show_restored(done, as_json=as_json)


def show_preview(plan: CheckoutPlan, *, as_json: bool, force: bool) -> None:
    """Say what a checkout would do."""
    if as_json:
        emit({"restored": sorted((*plan.place, *plan.fill)), "unchanged": list(plan.unchanged),
              "left": list(plan.left), "edited": list(plan.edited),
              "missing": list(plan.absent)})  # fmt: skip
        return
    for path in plan.place:
        if not any(f"{file}/".startswith(f"{path}/") for file in plan.edited):
            say(f"would restore {path}")
    for path in plan.fill:
        say(f"would restore what is missing of {path}")
    for file in plan.edited:
        say(
            f"would overwrite {file}, which was edited"
            if force
            else f"would stop at {file}, which was edited; `--force` overwrites it"
        )
    for path in plan.absent:
        say(f"would lack the data of {path}: the cache doesn't have it")
    if not (plan.place or plan.fill or plan.absent):
        say("Nothing to restore.")


def show_restored(done: Restored, *, as_json: bool) -> None:
    """Say what a checkout did."""
    if as_json:
        emit({"restored": list(done.restored), "unchanged": list(done.unchanged),
              "left": list(done.left)})  # fmt: skip
        return
    for path in done.restored:
        say(f"restored {path}")
    show_counts(done)


def show_counts(done: Restored) -> None:
    """Say how many paths were written, and how many weren't and why."""
    parts = [f"Restored {plural(len(done.restored), 'path')}"]
    if done.unchanged or not done.left:
        parts.append(f"{len(done.unchanged)} unchanged")
    if done.left:
        parts.append(f"{len(done.left)} left as found")
    say(f"{', '.join(parts)}.")
