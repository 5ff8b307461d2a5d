"""Carrying out a plan: skip, restore, run, and settle what waited for it."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from pivot.errors import ExitCode, MissingDataError, PivotError
from pivot.lock.folder import write_lock
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed
from pivot.paths import StageName
from pivot.placing import place
from pivot.plan import Decision, Plan, Verdict
from pivot.run.accept import Started, accept
from pivot.run.adopted import adopted
from pivot.run.aside import Aside, aside, open_run
from pivot.run.claims import Claims
from pivot.run.edits import edited, refuse_edited
from pivot.run.events import (
    Failure,
    RunFinished,
    RunStarted,
    Sink,
    StageFinished,
    StageStarted,
    StageUsed,
    StageWaiting,
    Status,
)
from pivot.run.executors.executor import Executor
from pivot.run.outcome import Ending, Outcome
from pivot.run.prepare import prepare_outs, put_deps
from pivot.run.record import RunRecord
from pivot.run.rekeyed import write_rekeyed
from pivot.run.schedule import Ended, Schedule
from pivot.run.unrecorded import keep_unrecorded
from pivot.run.use import UnvouchedError, Use
from pivot.run.vouching import refuse_unreadable, vouch
from pivot.run.workbench import Workbench

# How often a stage that another process holds is tried again, in seconds.
CLAIM_INTERVAL = 0.2


@dataclass(frozen=True, slots=True)
class _Running:
    started: Started
    aside: Aside
    decision: Decision
    log: str


class Repro:
    """One run of a plan. Make one, call `run` once."""

    def __init__(
        self,
        bench: Workbench,
        plan: Plan,
        record: RunRecord,
        sink: Sink,
        *,
        jobs: int,
        keep_going: bool,
    ) -> None:
        self._bench = bench
        self._plan = plan
        self._record = record
        self._sink = sink
        self._jobs = jobs
        self._schedule = Schedule(plan.graph, plan.decisions, keep_going=keep_going)
        self._decisions = dict(plan.decisions)
        self._claims = Claims(bench.temporary)
        self._running: dict[StageName, _Running] = {}
        self._waiting: set[StageName] = set()
        self._changed: set[StageName] = set()
        self._finished: list[StageFinished] = []
        self._rekeyed = 0
        self._exit = contextlib.ExitStack()
        self._executor: Executor | None = None

    def run(self) -> ExitCode:
        """Carry out the plan; every selected stage ends with exactly one event."""
        self._sink(RunStarted(self._record.run_id, tuple(self._plan.decisions)))
        code = ExitCode.DONE
        with self._exit:
            try:
                while not self._schedule.is_done:
                    self._step()
            except KeyboardInterrupt:
                code = ExitCode.INTERRUPTED
                self._cancel()
        self._report(self._schedule.leave())
        statuses = [event.status for event in self._finished]
        if code is ExitCode.DONE and Status.FAILED in statuses:
            code = ExitCode.FAILED
        self._record.close(self._finished, code)
        counts = {status: n for status in Status if (n := statuses.count(status))}
        self._sink(RunFinished(self._record.run_id, counts, code, self._rekeyed))
        return code

    # -- one turn -----------------------------------------------------------------------------

    def _step(self) -> None:
        progressed = False
        for name in self._schedule.ready():
            if len(self._running) >= self._jobs:
                break
            progressed = self._begin(name) or progressed
        if not progressed:
            self._collect(CLAIM_INTERVAL if self._waiting else None)

    def _collect(self, timeout: float | None) -> None:
        self._bench.state.commit()  # while we wait others may write
        if self._executor is None or not self._running:
            time.sleep(timeout or CLAIM_INTERVAL)
            return
        for outcome in self._executor.wait(timeout):
            self._end(outcome)

    def _begin(self, name: StageName) -> bool:
        """Decide and start a stage; False if another process has a claim on what it needs."""
        decision = self._decisions[name]
        is_outdated = self._plan.survey.stages[name].is_outdated
        if self._is_as_planned(name) and not decision.unstored and not is_outdated:
            self._finish(name, Status.UNCHANGED, decision)
            return True
        try:
            return self._claim_and_act(name)
        except (PivotError, OSError) as error:
            self._fail(name, self._decisions[name], Failure.of(error))
            return True

    def _claim_and_act(self, name: StageName) -> bool:
        busy = self._claims.take(name, self._plan.graph.stages[name].mutex)
        if busy is not None:
            if not busy.own and name not in self._waiting:
                self._waiting.add(name)
                self._sink(StageWaiting(name, busy.holder))
            return False
        self._waiting.discard(name)
        self._schedule.start(name)
        # What is replaced is held, and must stay so until it is; what is restored must be there.
        with self._bench.store.in_use():
            # Until the claim was ours another process may have run the stage, or what is upstream.
            self._act(name, self._rekey(name) or self._look_again(name))
        return True

    def _is_as_planned(self, name: StageName) -> bool:
        """Whether the stage is skipped, and nothing upstream happened since that was decided."""
        if self._decisions[name].verdict is not Verdict.SKIP:
            return False
        return not any(up in self._changed for up in self._plan.graph.upstream(name))

    def _rekey(self, name: StageName) -> Decision | None:
        """Write a lock that holds, but is of an older scheme, under ours; None if it isn't so."""
        stage = self._plan.survey.stages[name]
        applies = stage.is_outdated and self._is_as_planned(name) and self._bench.records
        if not applies or not write_rekeyed(self._bench, self._record, stage):
            return None
        self._rekeyed += 1
        return self._decisions[name]

    def _look_again(self, name: StageName) -> Decision:
        survey = self._plan.survey
        found = replace(survey, stages={**survey.stages, name: self._bench.look(name)})
        self._plan = replace(self._plan, survey=found)
        self._decisions[name] = self._plan.settle(name, self._decisions)
        return self._decisions[name]

    # -- acting -------------------------------------------------------------------------------

    def _act(self, name: StageName, decision: Decision) -> None:
        self._store_unstored(decision)
        if decision.unheld:
            raise edited(self._plan.survey.stages[name], decision.unheld)
        if decision.missing:
            raise PivotError(
                f"dep {decision.missing[0]} is gone", hint="Bring it back, e.g. with `pivot pull`"
            )
        refuse_unreadable(self._plan.survey.stages[name])
        if decision.verdict is Verdict.SKIP:
            self._finish(name, Status.UNCHANGED, decision)
        elif decision.verdict is Verdict.RESTORE and self._restore(name, decision):
            return
        else:
            self._start(name, decision)

    def _store_unstored(self, decision: Decision) -> None:
        """Outs that are in place but not in the store: deleted caches come back this way."""
        if decision.unstored:
            with self._bench.store.writer() as writer:
                for path in decision.unstored:
                    self._bench.workspace.store(path, writer)

    def _restore(self, name: StageName, decision: Decision) -> bool:
        """Put a known run's outs in place; False if they can't be had after all."""
        lock, stage = decision.lock, self._plan.survey.stages[name]
        assert lock is not None, "a restored stage has a lock"  # noqa: S101
        begun = time.monotonic()
        absent = {p: c for p, c in lock.outs.items() if not self._bench.store.holds(c)}
        if absent:
            try:
                self._bench.fetch(absent)
            except MissingDataError:
                return False
        bench = self._bench
        looks = {path: bench.workspace.look(path) for path in lock.outs}
        refuse_edited(bench, stage, {path: look.content for path, look in looks.items()})
        for path, content in lock.outs.items():
            if not looks[path].shows(content):
                place(bench.workspace, bench.state, bench.store, path, content, look=looks[path])
        own = adopted(self._bench, lock, stage.stage)
        if lock is stage.lock and bench.records:
            # Believed because it is checked out: not for ever, as what our own runs wrote is.
            write_lock(self._bench.locks, own)
        elif bench.records:
            self._vouch(own)
        self._finish(name, Status.RESTORED, decision, duration=time.monotonic() - begun)
        return True

    def _start(self, name: StageName, decision: Decision) -> None:
        assert decision.deps is not None, "a stage that runs knows its deps"  # noqa: S101
        stage = self._plan.survey.stages[name]
        put_deps(self._bench, stage)
        executor = self._executor or self._open_executor()
        outs = tuple(out.path for out in stage.stage.outs)
        kept = aside(self._bench.workspace.root, self._record.run_id, name, outs)
        if name not in self._plan.forced:
            refuse_edited(
                self._bench, stage, {path: self._bench.workspace.content(path) for path in outs}
            )
        try:
            kept.put()
            previous = prepare_outs(self._bench, stage)
            log = self._record.log(name)
            started = Started(stage, decision.deps, previous)
            self._running[name] = _Running(started, kept, decision, log)
            executor.submit(self._bench.job(name, log))
        except BaseException:
            self._running.pop(name, None)
            kept.restore()
            raise
        self._sink(StageStarted(name))

    def _open_executor(self) -> Executor:
        with contextlib.ExitStack() as stack:
            stack.enter_context(open_run(self._bench.workspace.root, self._record.run_id))
            self._executor = stack.enter_context(self._bench.executor())
            self._exit.push(stack.pop_all())
        return self._executor

    # -- ending -------------------------------------------------------------------------------

    def _end(self, outcome: Outcome) -> None:
        name = outcome.stage
        running = self._running[name]
        if outcome.ending is not Ending.RETURNED:
            failure = Failure(
                outcome.message or "it failed",
                hint=outcome.hint,
                traceback=outcome.traceback,
                log=running.log,
            )
            self._fail(name, running.decision, _put_back(running, failure), outcome.duration_s)
            return
        try:
            with self._bench.store.in_use():
                try:
                    lock, use = self._accept(running, outcome)
                    self._vouch(lock)
                finally:
                    is_held = self._holds_old_outs(running)
        except UnvouchedError as error:
            running.aside.drop() if is_held else running.aside.keep()
            self._fail(name, running.decision, Failure.of(error), outcome.duration_s)
        except (PivotError, OSError) as error:
            failure = replace(Failure.of(error), log=running.log)
            self._fail(name, running.decision, _put_back(running, failure), outcome.duration_s)
        else:
            running.aside.drop() if is_held else running.aside.keep()
            if use:
                cwd, strict = running.started.stage.stage.cwd, self._bench.strict
                self._sink(StageUsed(name, use, tuple(use.messages(cwd, strict=strict))))
            self._finish(name, Status.RAN, running.decision, lock, outcome.duration_s)

    def _holds_old_outs(self, running: _Running) -> bool:
        """Whether the store still has what it had of the outs when the stage started.

        A collection meanwhile can have left what was moved aside as the only copy.
        """
        stage = running.started.stage
        old = stage.stored.intersection(c for c in stage.outs.values() if c is not None)
        return all(map(self._bench.store.holds, old))

    def _accept(self, running: _Running, outcome: Outcome) -> tuple[Lock, Use]:
        """The stage's lock, and what should be declared. Raises what `accept` does."""
        bench, stage = self._bench, running.started.stage.stage
        use = Use()

        def observed() -> Observed:
            nonlocal use
            if outcome.observation is not None:
                use = bench.sifter.sift(stage.entry, outcome.observation)
                if bench.strict:
                    use.refuse(stage.cwd)
            return use.observed

        lock = accept(
            running.started,
            bench.workspace,
            bench.store if bench.records else None,
            partial(bench.code_now, stage),
            observed,
            partial(bench.written_now, stage),
        )
        return lock, use

    def _vouch(self, lock: Lock) -> None:
        bench, state = self._bench, self._bench.state
        if bench.records:
            vouch(lock, record=self._record, history=bench.history, state=state, locks=bench.locks)
        else:
            keep_unrecorded(state, lock)

    def _finish(
        self,
        name: StageName,
        status: Status,
        decision: Decision,
        lock: Lock | None = None,
        duration: float = 0.0,
    ) -> None:
        """Note a good end: from now on the stage counts as skipped for what depends on it."""
        if status is not Status.UNCHANGED:
            self._changed.add(name)
        self._decisions[name] = replace(
            decision, verdict=Verdict.SKIP, lock=lock or decision.lock, unheld=()
        )
        self._running.pop(name, None)
        self._claims.release(name)
        self._emit(StageFinished(name, status, decision.reasons, duration))
        self._schedule.finish(name, status)

    def _fail(
        self, name: StageName, decision: Decision, failure: Failure | None, duration: float = 0.0
    ) -> None:
        self._running.pop(name, None)
        self._claims.release(name)
        self._emit(StageFinished(name, Status.FAILED, decision.reasons, duration, failure))
        self._report(self._schedule.finish(name, Status.FAILED))

    def _cancel(self) -> None:
        """End what runs, put its outs back, and start nothing more."""
        self._schedule.stop()
        if self._executor is not None:
            self._executor.cancel_all()
            while self._running:
                ended = {outcome.stage: outcome.duration_s for outcome in self._executor.wait()}
                # Without any outcome left, the rest had returned and was about to be accepted.
                for name, duration in (ended or dict.fromkeys(self._running, 0.0)).items():
                    self._cancelled(name, duration)

    def _cancelled(self, name: StageName, duration: float) -> None:
        running = self._running.pop(name)
        failure = _put_back(running, None)
        self._claims.release(name)
        reasons = running.decision.reasons
        self._emit(StageFinished(name, Status.CANCELLED, reasons, duration, failure))
        self._report(self._schedule.finish(name, Status.CANCELLED))

    def _report(self, ended: Sequence[Ended]) -> None:
        for end in ended:
            self._emit(StageFinished(end.stage, end.status, self._decisions[end.stage].reasons))

    def _emit(self, event: StageFinished) -> None:
        self._finished.append(event)
        self._sink(event)


def _put_back(running: _Running, failure: Failure | None) -> Failure | None:
    """Put the outs of a failed stage back; where that fails too, the next run tries again."""
    try:
        running.aside.restore()
    except (PivotError, OSError) as error:
        unrestored = Failure.of(error)
        return Failure(
            f"its outs could not be put back: {unrestored.message}",
            why=unrestored.why if failure is None else f"{failure.message}; {unrestored.why}",
            hint=f"They are kept in {running.aside.folder}: mend that, then run `pivot repro`",
            log=running.log,
        )
    return failure
