"""`pivot status`: what would run, and why. Runs nothing, writes nothing to the workspace."""

import os
from collections.abc import Sequence

import click

from pivot.cli.completing import stages as complete_stages
from pivot.cli.explaining import explain_stage, headline, summary
from pivot.cli.terminal import emit, json_option, note, open_project, plural, say, table
from pivot.errors import ExitCode
from pivot.explain import ReasonKind
from pivot.paths import StageName
from pivot.plan import Plan, Verdict
from pivot.project.planner import Planner


@click.command()
@click.argument("stages", nargs=-1, shell_complete=complete_stages)
@click.option("--explain", is_flag=True, help="Show what changed: old and new, file and line.")
@click.option("--exit-code", is_flag=True, help="Exit with 4 if anything would run.")
@json_option
def status(stages: tuple[str, ...], explain: bool, exit_code: bool, as_json: bool) -> int:
    """Show what `pivot repro` would do with STAGES (all without names), and why."""
    with open_project() as project:
        plan, named = Planner(project).plan(stages)
        warn_unreadable(plan)
        if as_json:
            emit(status_json(plan, named))
        else:
            show_plan(plan, named, explain=explain)
            if _lacks_outs_alone(plan, named) and project.config.remotes(os.environ):
                note("hint: What is missing may be in a remote: `pivot pull` gets it")
        stale = any(plan.decisions[name].verdict is not Verdict.SKIP for name in named)
        return ExitCode.STALE if exit_code and stale else ExitCode.DONE


def _lacks_outs_alone(plan: Plan, named: Sequence[StageName]) -> bool:
    """Whether a stage would run for no other reason than that its outs aren't there."""
    return any(
        decision.verdict is Verdict.RUN
        and {(reason.kind, reason.new) for reason in decision.reasons} == {(ReasonKind.OUT, None)}
        for decision in (plan.decisions[name] for name in named)
    )


def status_json(plan: Plan, named: Sequence[StageName]) -> dict[str, object]:
    """The object that `status --json` and `repro --dry-run --json` print."""
    return {
        "stages": [plan.decisions[name].to_json(name) for name in named],
        "tracked": [],
        "remote": None,
    }


def show_plan(plan: Plan, named: Sequence[StageName], *, explain: bool) -> None:
    """The same for people."""
    decisions = [plan.decisions[name] for name in named]
    if explain:
        accounts = [
            "\n".join(explain_stage(name, decision, plan.survey.stages[name].kinds))
            for name, decision in zip(named, decisions, strict=True)
        ]
        say("\n\n".join(accounts))
        if len(named) == 1:
            return
        say()
    else:
        table(
            [
                (name, decision.state, headline(decision))
                for name, decision in zip(named, decisions, strict=True)
            ]
        )
    say(f"{plural(len(named), 'stage')}: {summary(decisions)}" if named else "No stages.")


def warn_unreadable(plan: Plan) -> None:
    """Name locks that count as none because they can't be read."""
    for survey in plan.survey.stages.values():
        if survey.lock_fault is not None:
            note(f"warning: {survey.lock_fault}")
            if survey.lock_fault.hint is not None:
                note(f"hint: {survey.lock_fault.hint}")
