"""`pivot record`: the workspace is taken as true, and nothing runs."""

from collections.abc import Sequence

import click

from pivot.cli.completing import stages as complete_stages
from pivot.cli.explaining import headline
from pivot.cli.progress import Progress
from pivot.cli.recovering import recover_first
from pivot.cli.status import warn_unreadable
from pivot.cli.terminal import emit, json_option, note, open_project, plural, say, table
from pivot.paths import StageName
from pivot.project.planner import Planner
from pivot.project.recording import find_recording
from pivot.project.recording import record as record_stages
from pivot.run.recording import Recording


@click.command()
@click.argument("stages", nargs=-1, shell_complete=complete_stages)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be recorded, and do nothing.")
@json_option
def record(stages: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Take what is in the workspace as the results of STAGES (all without names); run nothing.

    Stores their outs and writes their locks, as if the present code had just made them from the
    present deps and parameters; the locks say that they were recorded. Deps and outs have to be
    there. Stages whose locks hold are left as they are.
    """
    with open_project() as project:
        planner = Planner(project)
        if not dry_run:
            recover_first(project)
        plan, named = planner.plan(stages)
        warn_unreadable(plan, planner.tracked)
        recording = find_recording(planner, plan, named)
        if not dry_run:
            with Progress("stored") as progress:
                record_stages(planner, recording, progress)
    if as_json:
        emit(_json(recording, named))
    else:
        _show(recording, dry_run=dry_run)
    _warn_of_upstream(recording)


def _json(recording: Recording, named: Sequence[StageName]) -> dict[str, object]:
    rows = []
    for name in named:
        taken = recording.taken.get(name)
        reasons = () if taken is None else taken.decision.reasons
        rows.append(
            {
                "stage": name,
                "state": "unchanged" if taken is None else "recorded",
                "reasons": [reason.to_json() for reason in reasons],
            }
        )
    return {"stages": rows, "stale": list(recording.stale)}


def _show(recording: Recording, *, dry_run: bool) -> None:
    taken, left = recording.taken, len(recording.unchanged)
    if not taken:
        say(f"Nothing to record: {plural(left, 'stage')} unchanged." if left else "No stages.")
        return
    word = "would be recorded" if dry_run else "recorded"
    table([(name, word, headline(one.decision)) for name, one in taken.items()])
    them = "it" if len(taken) == 1 else "them"
    verb = "Would record" if dry_run else "Recorded"
    rest = f"; {left} unchanged" if left else ""
    say(f"{verb} {plural(len(taken), 'stage')} without running {them}{rest}.")


def _warn_of_upstream(recording: Recording) -> None:
    """Recorded results of what upstream stages would make anew may not outlive the next run."""
    if recording.stale:
        names = ", ".join(recording.stale)
        note(f"warning: upstream of what was recorded isn't up to date: {names}")
        note(f"hint: Take that as true, too, with `pivot record {' '.join(recording.stale)}`,"
             " or run it with `pivot repro`")  # fmt: skip
