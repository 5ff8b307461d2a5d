"""Carrying out a plan: skip, restore, run, and settle what waited for it."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace

from pivot.errors import ExitCode, PivotError
from pivot.lock.lock import Lock
from pivot.paths import StageName
from pivot.plan import Decision, Plan, Verdict
from pivot.run.aside import open_run
from pivot.run.attempt import Attempt, accept_outcome, begin
from pivot.run.claims import Claims
from pivot.run.edits import edited
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
from pivot.run.prepare import put_deps
from pivot.run.record import RunRecord
from pivot.run.rekeyed import write_rekeyed
from pivot.run.restoring import restore
from pivot.run.schedule import Ended, Schedule
from pivot.run.use import UnvouchedError
from pivot.run.vouching import refuse_unreadable, vouch
from pivot.run.workbench import Workbench

# How often a stage that another process holds is tried again, in seconds.
CLAIM_INTERVAL = 0.2


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
        self._claims = Claims(bench.desk.temporary)
        self._running: dict[StageName, Attempt] = {}
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
        self._bench.desk.state.commit()  # while we wait others may write
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
        with self._bench.desk.store.in_use():
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
        applies = stage.is_outdated and self._is_as_planned(name) and self._bench.desk.records
        if not applies or not write_rekeyed(self._bench.desk, self._record, stage):
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
            desk = self._bench.desk
            with desk.store.writer() as writer:
                for path in decision.unstored:
                    desk.workspace.store(path, writer)

    def _restore(self, name: StageName, decision: Decision) -> bool:
        lock = decision.lock
        assert lock is not None, "a restored stage has a lock"  # noqa: S101
        begun = time.monotonic()
        if not restore(self._bench, self._record, self._plan.survey.stages[name], lock):
            return False
        self._finish(name, Status.RESTORED, decision, duration=time.monotonic() - begun)
        return True

    def _start(self, name: StageName, decision: Decision) -> None:
        stage = self._plan.survey.stages[name]
        put_deps(self._bench, stage)
        executor = self._executor or self._open_executor()

        def submit(attempt: Attempt) -> None:
            self._running[name] = attempt
            executor.submit(self._bench.job(name, attempt.log))

        is_forced = name in self._plan.forced
        try:
            begin(self._bench, self._record, stage, decision, submit, is_forced=is_forced)
        except BaseException:
            self._running.pop(name, None)
            raise
        self._sink(StageStarted(name))

    def _open_executor(self) -> Executor:
        with contextlib.ExitStack() as stack:
            stack.enter_context(open_run(self._bench.desk.workspace.root, self._record.run_id))
            self._executor = stack.enter_context(self._bench.executor())
            self._exit.push(stack.pop_all())
        return self._executor

    # -- ending -------------------------------------------------------------------------------

    def _end(self, outcome: Outcome) -> None:
        name, duration = outcome.stage, outcome.duration_s
        running, store = self._running[name], self._bench.desk.store
        if outcome.ending is not Ending.RETURNED:
            failure = Failure(
                outcome.message or "it failed",
                hint=outcome.hint,
                traceback=outcome.traceback,
                log=running.log,
            )
            self._fail(name, running.decision, running.put_back(failure), duration)
            return
        try:
            with store.in_use():
                try:
                    lock, use = accept_outcome(self._bench, running, outcome)
                    vouch(self._bench.desk, self._record, lock)
                finally:
                    is_held = running.holds_old_outs(store)
        except UnvouchedError as error:
            running.aside.drop() if is_held else running.aside.keep()
            self._fail(name, running.decision, Failure.of(error), duration)
        except (PivotError, OSError) as error:
            failure = replace(Failure.of(error), log=running.log)
            self._fail(name, running.decision, running.put_back(failure), duration)
        else:
            running.aside.drop() if is_held else running.aside.keep()
            if use:
                cwd, strict = running.survey.stage.cwd, self._bench.strict
                self._sink(StageUsed(name, use, tuple(use.messages(cwd, strict=strict))))
            self._finish(name, Status.RAN, running.decision, lock, duration)

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
        failure = running.put_back(None)
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
