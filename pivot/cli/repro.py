"""`pivot repro`: run what changed, restore what is known, leave the rest alone."""

import contextlib
import os
import time
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import click

from pivot.cli.completing import stages as complete_stages
from pivot.cli.recovering import end_like_ctrl_c, recover_first
from pivot.cli.running import Printer
from pivot.cli.status import account_for, show_plan, status_json, tracked_states, warn_unreadable
from pivot.cli.terminal import emit, json_option, note, open_project
from pivot.errors import ExitCode, MissingDataError, UsageError, nearest
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan
from pivot.project.planner import Planner
from pivot.run.unchanged import is_unchanged, report_unchanged
from pivot.track.contents import TrackedState


@click.command()
@click.argument("stages", nargs=-1, shell_complete=complete_stages)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("-f", "--force", is_flag=True, help="Run STAGES (all without names) in any case.")
@click.option("-k", "--keep-going", is_flag=True, help="After a failure, run what it leaves.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Stages at once.  [default: processors]")
@click.option(
    "--no-record", is_flag=True, help="Leave results in the workspace: store none, write no locks."
)
@click.option("--explain", is_flag=True, help="With --dry-run: show what changed.")
@click.option("--commit", is_flag=True, help="Commit locks and metrics to Git when all is done.")
@click.option("-m", "--message", help="With --commit: the commit's message.")
@json_option
def repro(
    stages: tuple[str, ...],
    dry_run: bool,
    force: bool,
    keep_going: bool,
    jobs: int | None,
    no_record: bool,
    explain: bool,
    commit: bool,
    message: str | None,
    as_json: bool,
) -> int:
    """Bring STAGES up to date, with all that they need upstream (all stages without names).

    Stages whose code, parameters and inputs are unchanged are skipped. What was computed before is
    restored. All else runs, in parallel, each stage in a process of its own.
    """
    begun = time.monotonic()
    if message is not None and not commit:
        raise UsageError("`--message` is that of a commit", hint="Add `--commit`")
    if commit and no_record:
        raise UsageError("with `--no-record` there is nothing to commit", hint="Leave one out")
    if explain and not dry_run:
        raise UsageError("`--explain` is for `--dry-run`", hint="Run `pivot status --explain`")
    with open_project() as project:
        planner = Planner(project)
        if not dry_run:
            recover_first(project)
            planner.allow_fetching(note)
        plan, named = planner.plan(stages, forced=force)
        warn_unreadable(plan, planner.tracked)
        for warning in planner.definitions.warnings:
            note(f"warning: {warning}")
        if dry_run:
            _show(planner, plan, named if stages else None, explain=explain, as_json=as_json)
            return ExitCode.DONE
        _refuse_missing(plan, planner)
        printer = Printer(plan, as_json=as_json, begun=begun, records=not no_record)
        if is_unchanged(plan) and not planner.has_reloaded:
            code = report_unchanged(plan, printer.show)
        else:
            code = _reproduce(
                planner, plan, printer, jobs=jobs, keep_going=keep_going, records=not no_record
            )
            if not stages and not no_record and code is ExitCode.DONE:
                _room().remove_orphans(planner)
            _warn_of_changes(planner, plan, named)
        if commit and code is ExitCode.DONE:
            import_module("pivot.cli.commit").commit_now(project, message, quiet=as_json)
        return code


def _show(
    planner: Planner,
    plan: Plan,
    named: Sequence[StageName] | None,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    """Say what would be done; `named` are the stages asked for, None for all."""
    shown = tuple(plan.decisions) if named is None or as_json else named
    told = account_for(planner, plan, shown, explain=explain)
    if as_json:
        emit(status_json(told, tracked_states(planner, plan, named)))
    else:
        show_plan(told, explain=explain)


def _room() -> ModuleType:
    """What runs plans, imported only where there is something to do."""
    return import_module("pivot.project.reproducing")


def _reproduce(
    planner: Planner,
    plan: Plan,
    printer: Printer,
    *,
    jobs: int | None,
    keep_going: bool,
    records: bool,
) -> ExitCode:
    end_like_ctrl_c()
    count = jobs or planner.project.config.number("run.jobs") or os.process_cpu_count() or 1
    code: ExitCode = _room().reproduce(
        planner, plan, printer.show, jobs=count, keep_going=keep_going, records=records
    )
    return code


def _warn_of_changes(planner: Planner, plan: Plan, named: Sequence[StageName]) -> None:
    """Results of data that nobody else gets can't be made again by anyone else."""
    for path, state in tracked_states(planner, plan, named).items():
        if state is TrackedState.MODIFIED:
            note(f"warning: {path} was changed since it was tracked, and results were made of it")
            note(f"hint: Take the change up with `pivot track {path}`")


def _refuse_missing(plan: Plan, planner: Planner) -> None:
    """Nothing starts while a dep that nothing makes isn't there, and can't be put there."""
    missing = [
        (name, path) for name, decision in plan.decisions.items() for path in decision.missing
    ]
    missing.extend(planner.lacking(plan))
    if not missing:
        return
    name, path = missing[0]
    stage = plan.graph.stages[name]
    place = f"{stage.file}:{stage.line}"
    tracked = planner.tracked
    owners = [owner] if (owner := tracked.owner(path)) else tracked.inside(path)
    if owners:
        raise MissingDataError(
            f"dep {path} of stage {name} is not in the workspace",
            why="what is tracked there is neither in place, nor in the cache or a remote",
            hint=f"Get it with `pivot pull {' '.join(owners)}`",
        )
    near = _near(plan, path, planner.project.root)
    raise MissingDataError(
        f"dep {path} of stage {name} doesn't exist"
        + (f", nor {len(missing) - 1} more" if len(missing) > 1 else ""),
        why="no stage makes it, and it isn't on disk",
        hint=f"Did you mean {near}? The stage is at {place}"
        if near
        else f"Put it there, or correct `deps=` at {place}",
    )


def _near(plan: Plan, path: RepoPath, root: str) -> str | None:
    """What `path` may have been meant to be: an out, or a file of the same folder."""
    outs = [out.path for stage in plan.graph.stages.values() for out in stage.outs]
    beside: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(os.path.join(root, path.parent))
        beside = [os.path.normpath(os.path.join(path.parent, name)) for name in names]
    return nearest(path, [*outs, *beside])
