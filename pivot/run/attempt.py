"""One stage that runs: how it begins, what is made of its result, and the way back if it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pivot.errors import PivotError
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed
from pivot.plan import Decision
from pivot.run.accept import Started, accept
from pivot.run.aside import Aside, aside
from pivot.run.edits import refuse_edited
from pivot.run.events import Failure
from pivot.run.outcome import Outcome
from pivot.run.prepare import prepare_outs
from pivot.run.record import RunRecord
from pivot.run.use import Use
from pivot.run.workbench import Workbench
from pivot.store.store import Store
from pivot.survey import StageSurvey


@dataclass(frozen=True, slots=True)
class Attempt:
    """A stage that runs: what it started from, its old outs, and where its output goes."""

    started: Started
    aside: Aside
    decision: Decision
    log: str

    @property
    def survey(self) -> StageSurvey:
        return self.started.stage

    def holds_old_outs(self, store: Store) -> bool:
        """Whether the store still has what it had of the outs when the stage started.

        A collection meanwhile can have left what was moved aside as the only copy.
        """
        old = self.survey.stored.intersection(c for c in self.survey.outs.values() if c is not None)
        return all(map(store.holds, old))

    def put_back(self, failure: Failure | None) -> Failure | None:
        """Put the outs of a failed stage back; where that fails too, the next run tries again."""
        try:
            self.aside.restore()
        except (PivotError, OSError) as error:
            unrestored = Failure.of(error)
            return Failure(
                f"its outs could not be put back: {unrestored.message}",
                why=unrestored.why if failure is None else f"{failure.message}; {unrestored.why}",
                hint=f"They are kept in {self.aside.folder}: mend that, then run `pivot repro`",
                log=self.log,
            )
        return failure


def begin(
    bench: Workbench,
    record: RunRecord,
    stage: StageSurvey,
    decision: Decision,
    submit: Callable[[Attempt], None],
    *,
    is_forced: bool,
) -> None:
    """Move a stage's outs aside and hand it to `submit`; if that fails, they are put back."""
    assert decision.deps is not None, "a stage that runs knows its deps"  # noqa: S101
    workspace, name = bench.desk.workspace, stage.stage.name
    outs = tuple(out.path for out in stage.stage.outs)
    kept = aside(workspace.root, record.run_id, name, outs)
    if not is_forced:
        refuse_edited(bench.desk, stage, {path: workspace.content(path) for path in outs})
    try:
        kept.put()
        started = Started(stage, decision.deps, prepare_outs(bench, stage))
        submit(Attempt(started, kept, decision, record.log(name)))
    except BaseException:
        kept.restore()
        raise


def accept_outcome(bench: Workbench, attempt: Attempt, outcome: Outcome) -> tuple[Lock, Use]:
    """The lock of a stage that returned, and what should be declared. Raises what `accept` does."""
    desk, stage = bench.desk, attempt.survey.stage
    use = Use()

    def observed() -> Observed:
        nonlocal use
        if outcome.observation is not None:
            use = bench.sifter.sift(stage.entry, outcome.observation)
            if bench.strict:
                use.refuse(stage.cwd)
        return use.observed

    lock = accept(
        attempt.started,
        desk.workspace,
        desk.store if desk.records else None,
        partial(desk.code_now, stage),
        observed,
        partial(desk.written_now, stage),
    )
    return lock, use
