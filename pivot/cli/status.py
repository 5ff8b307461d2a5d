"""`pivot status`: what would run, and why. Runs nothing, writes nothing to the workspace."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.completing import stages as complete_stages
from pivot.cli.explaining import explain_stage, headline, summary
from pivot.cli.terminal import (
    emit,
    json_option,
    note,
    open_project,
    plural,
    say,
    size,
    table,
    width,
)
from pivot.code.findings import SCHEME
from pivot.errors import ExitCode
from pivot.explain import ReasonKind
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan, Verdict
from pivot.project.account import Account, accounts
from pivot.project.planner import Planner
from pivot.project.project import Project
from pivot.track.contents import TrackedContents, TrackedState

if TYPE_CHECKING:
    from pivot.project.lacking import Lacking

_DEFAULT = ""
_NAMED = 3


@click.command()
@click.argument("stages", nargs=-1, shell_complete=complete_stages)
@click.option(
    "--explain",
    is_flag=True,
    help="Show what changed: old and new, file and line, and how the stage comes to use it.",
)
@click.option(
    "--diff",
    is_flag=True,
    help="With that, show what changed in sources and small files since the lock was committed.",
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 4 if anything would run, or if tracked data was modified.",
)
@click.option(
    "-r",
    "--remote",
    is_flag=False,
    flag_value=_DEFAULT,
    metavar="[NAME]",
    shell_complete=complete_remotes,
    help="Ask a remote, too, what `pivot push` would send; without a name the default one.",
)
@json_option
def status(
    stages: tuple[str, ...],
    explain: bool,
    diff: bool,
    exit_code: bool,
    remote: str | None,
    as_json: bool,
) -> int:
    """Show what `pivot repro` would do with STAGES (all without names), and why.

    Then how tracked data compares with its .pvt files; with STAGES only what they read.
    """
    with open_project() as project:
        planner = Planner(project)
        plan, named = planner.plan(stages)
        tracked = tracked_states(planner, plan, named if stages else None)
        warn_unreadable(plan, planner.tracked)
        asked = None if remote is None else _ask(project, remote, named if stages else None)
        told = account_for(planner, plan, named, explain=explain, diff=diff)
        if as_json:
            emit(status_json(told, tracked, asked))
        else:
            if named or not tracked:
                show_plan(told, explain=explain or diff)
            if named and tracked:
                say()
            _show_tracked(tracked)
            if _lacks_outs_alone(plan, named) and project.config.remotes(os.environ):
                note("hint: What is missing may be in a remote: `pivot pull` gets it")
            if asked is not None:
                _show_remote(asked, is_named=remote != _DEFAULT)
        stale = any(plan.decisions[name].verdict is not Verdict.SKIP for name in named)
        stale = stale or TrackedState.MODIFIED in tracked.values()
        return ExitCode.STALE if exit_code and stale else ExitCode.DONE


def tracked_states(
    planner: Planner, plan: Plan, named: Sequence[StageName] | None
) -> Mapping[RepoPath, TrackedState]:
    """The states of all that is tracked, or of what the named stages read."""
    wanted = set(planner.tracked.contents)
    if named is not None:
        deps = [dep for name in named for dep in plan.graph.stages[name].deps]
        wanted = {p for p in wanted if any(p.contains(dep) or dep.contains(p) for dep in deps)}
    return planner.tracked_states(plan.survey, wanted)


def _show_tracked(states: Mapping[RepoPath, TrackedState]) -> None:
    """What is tracked, how it compares with its `.pvt` file, and what helps."""
    if not states:
        return
    table(list(states.items()))
    count = Counter(states.values())
    parts = [f"{count[state]} {state}" for state in TrackedState if count[state]]
    say(f"{plural(len(states), 'tracked path')}: {', '.join(parts)}")
    if count[TrackedState.MODIFIED]:
        note("hint: `pivot track` takes up what was modified, `pivot checkout` takes it back")
    if count[TrackedState.MISSING]:
        note("hint: `pivot pull` gets what is missing")


def _lacks_outs_alone(plan: Plan, named: Sequence[StageName]) -> bool:
    """Whether a stage would run for no other reason than that its outs aren't there."""
    return any(
        decision.verdict is Verdict.RUN
        and {(reason.kind, reason.new) for reason in decision.reasons} == {(ReasonKind.OUT, None)}
        for decision in (plan.decisions[name] for name in named)
    )


def _ask(project: Project, remote: str, stages: Sequence[StageName] | None) -> "Lacking":
    # What speaks to remotes is imported only where one is asked.
    found: Lacking = import_module("pivot.project.lacking").lacking(
        project, None if remote == _DEFAULT else remote, stages
    )
    for path in found.absent:
        note(f"warning: the data of {path} is neither in the cache nor in remote {found.name}")
    return found


def _show_remote(found: "Lacking", *, is_named: bool) -> None:
    """What a remote lacks, and what helps."""
    if not found.missing:
        say(f"Nothing is missing in remote {found.name}.")
        return
    verb = "is" if found.missing == 1 else "are"
    command = f"pivot push -r {found.name}" if is_named else "pivot push"
    say(
        f"{plural(found.missing, 'object')}, {size(found.bytes)} {verb} not in remote"
        f" {found.name}; run `{command}`."
    )


def account_for(
    planner: Planner, plan: Plan, named: Sequence[StageName], *, explain: bool, diff: bool = False
) -> tuple[Account, ...]:
    """What is to be told of these stages; `explain` looks into more, `diff` into Git."""
    told = accounts(plan, named, planner.fingerprint)
    # These look more closely than most commands need, and Git is read only where it is asked for.
    if explain or diff:
        told = import_module("pivot.project.importers").with_importers(planner, told)
        look = import_module("pivot.project.versions").with_files
        told = tuple(look(planner.project, account) for account in told)
    if diff:
        told = import_module("pivot.project.differing").with_diffs(planner, told)
    return told


def status_json(
    told: Sequence[Account],
    tracked: Mapping[RepoPath, TrackedState],
    remote: "Lacking | None" = None,
) -> dict[str, object]:
    """The object that `status --json` and `repro --dry-run --json` print."""
    return {
        "stages": [account.to_json() for account in told],
        "tracked": [{"path": path, "state": state} for path, state in tracked.items()],
        "remote": None
        if remote is None
        else {"name": remote.name, "missing": remote.missing, "bytes": remote.bytes},
    }


def show_plan(told: Sequence[Account], *, explain: bool) -> None:
    """The same for people."""
    decisions = [account.decision for account in told]
    if explain:
        say("\n\n".join("\n".join(explain_stage(account, width())) for account in told))
        if len(told) == 1:
            return
        say()
    else:
        table([(a.stage, a.decision.state, headline(a.decision)) for a in told])
    say(f"{plural(len(told), 'stage')}: {summary(decisions)}" if told else "No stages.")


def _warn_newer(plan: Plan) -> None:
    locks = [(s.written or s.lock) for s in plan.survey.stages.values()]
    newer = [lock for lock in locks if lock is not None and lock.declared.scheme > SCHEME]
    if newer:
        names = ", ".join(sorted(lock.stage for lock in newer[:_NAMED]))
        more = f" and {len(newer) - _NAMED} more" if len(newer) > _NAMED else ""
        note(
            f"warning: a newer Pivot made the locks of {names}{more}"
            f" (fingerprint scheme {max(lock.declared.scheme for lock in newer)}, here {SCHEME})"
        )
        note("hint: Upgrade with `pip install --upgrade pivot`: what runs here is run there again")


def warn_unreadable(plan: Plan, tracked: TrackedContents) -> None:
    """Name locks and `.pvt` files that count as none because they can't be read.

    And locks of a scheme to come, which a run here would take back.
    """
    _warn_newer(plan)
    faults = [survey.lock_fault for survey in plan.survey.stages.values()]
    for fault in (*faults, *tracked.faults.values()):
        if fault is not None:
            note(f"warning: {fault}")
            if fault.hint is not None:
                note(f"hint: {fault.hint}")
