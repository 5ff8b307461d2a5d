"""The run of a plan in which nothing is to be done: its events, and nothing else."""

import time

from pivot.errors import ExitCode
from pivot.plan import Plan, Verdict
from pivot.run.events import RunFinished, RunStarted, Sink, StageFinished, Status


def fresh_run_id() -> str:
    """A run's name: the time in UTC to the microsecond, so that names sort as runs began."""
    now = time.time_ns()
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(now // 10**9)) + f"-{now // 1000 % 10**6:06}"


def is_unchanged(plan: Plan) -> bool:
    """Whether every stage is skipped, with its outs in place and in the store.

    Locks of an older scheme that hold have to be written anew.
    """
    return all(
        decision.verdict is Verdict.SKIP
        and not decision.unstored
        and not plan.survey.stages[name].is_outdated
        for name, decision in plan.decisions.items()
    )


def report_unchanged(plan: Plan, sink: Sink) -> ExitCode:
    """Emit the events of such a run; nothing is started, written or locked."""
    run_id = fresh_run_id()
    sink(RunStarted(run_id, tuple(plan.decisions)))
    for name, decision in plan.decisions.items():
        sink(StageFinished(name, Status.UNCHANGED, decision.reasons))
    counts = {Status.UNCHANGED: len(plan.decisions)} if plan.decisions else {}
    sink(RunFinished(run_id, counts, ExitCode.DONE))
    return ExitCode.DONE
