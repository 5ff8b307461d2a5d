"""Taking the workspace as true: what stages would read and what lies at their outs, without a run.

Nobody saw a run make these outs from these deps. The user says so, and the lock says that it was
the user. All that can be refused is refused before anything is stored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pivot.errors import LockedError, MissingDataError
from pivot.explain import same
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed
from pivot.paths import RepoPath, StageName
from pivot.plan import Decision, Plan, Verdict, settle_by
from pivot.run.accept import Started, accept
from pivot.run.claims import Claims
from pivot.run.desk import Desk
from pivot.run.events import StageFinished, Status
from pivot.run.record import RunRecord
from pivot.run.unrecorded import unrecorded_lock
from pivot.run.vouching import refuse_unreadable, vouch
from pivot.store.content import Content
from pivot.survey import StageSurvey
from pivot.workspace import Sink, Workspace


@dataclass(frozen=True, slots=True)
class Taken:
    """A stage to be recorded: what its deps hold, and why its lock isn't enough."""

    survey: StageSurvey
    deps: Mapping[RepoPath, Content]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Recording:
    """What recording comes to.

    Attributes:
        taken: the stages whose locks are to be written, each after its upstream.
        unchanged: those whose locks hold already, with outs that the store lacks.
        stale: stages upstream of those taken that aren't recorded with them and wouldn't be
            skipped: what was taken may not be what they would make.
    """

    taken: Mapping[StageName, Taken]
    unchanged: Mapping[StageName, tuple[RepoPath, ...]]
    stale: tuple[StageName, ...]


def plan_recording(plan: Plan, named: Sequence[StageName], workspace: Workspace) -> Recording:
    """Decide what of the named stages is to be recorded, by what the workspace holds.

    Raises `MissingDataError` for deps and outs that aren't there, and `UnreadableLockError` for a
    lock that must not be replaced.
    """
    taken: dict[StageName, Taken] = {}
    unchanged: dict[StageName, tuple[RepoPath, ...]] = {}
    for name in (name for name in plan.graph.stages if name in named):
        stage = plan.survey.stages[name]
        deps = dict(_deps(stage, workspace))
        decision = settle_by(stage, deps)
        if decision.verdict is Verdict.SKIP:
            unchanged[name] = decision.unstored
            continue
        refuse_unreadable(stage)
        unwritten = next((path for path, content in stage.outs.items() if content is None), None)
        if unwritten is not None:
            raise _no_out(name, unwritten)
        taken[name] = Taken(stage, deps, decision)
    stale = (
        name
        for name, decision in plan.decisions.items()
        if name not in named and decision.verdict is not Verdict.SKIP
    )
    return Recording(taken, unchanged, tuple(stale) if taken else ())


def _deps(stage: StageSurvey, workspace: Workspace) -> Iterator[tuple[RepoPath, Content]]:
    for dep in stage.stage.deps:
        content = stage.sources[dep] if dep in stage.sources else workspace.content(dep)
        if content is None or dep in stage.kept:
            raise _no_dep(stage, dep)
        yield dep, content


def _no_dep(stage: StageSurvey, dep: RepoPath) -> MissingDataError:
    name, kept = stage.stage.name, stage.kept.get(dep)
    if kept is not None:
        hint = f"Get it with `pivot pull {kept.owner}`"
    elif dep in stage.sources:  # no stage makes it
        hint = "Put it there, or correct the stage's `deps=`; `pivot list` says where it is"
    else:
        hint = f"Put it there, or run `pivot repro {name}`"
    return MissingDataError(
        f"dep {dep} of stage {name} is not in the workspace",
        why="what is recorded is what is there",
        hint=hint,
    )


def _no_out(name: StageName, out: RepoPath) -> MissingDataError:
    return MissingDataError(
        f"out {out} of stage {name} is not in the workspace",
        why="what is recorded is what is there",
        hint=f"Make it with `pivot repro {name}`, or name the stages to record without it",
    )


def record_all(
    desk: Desk, recording: Recording, record: RunRecord, sink: Callable[[Sink], Sink]
) -> None:
    """Store the outs and write the locks.

    `sink` is what goes between the workspace and a session of adding to the store.
    Raises `LockedError` for a stage that somebody runs, and `ChangedMeanwhileError` for what was
    changed meanwhile; the stages before that one are recorded then.
    """
    claims = Claims(desk.temporary)
    finished: list[StageFinished] = []
    with desk.store.in_use():
        # In one session, so that small outs share a pack; what changes until its stage is claimed
        # is stored again then.
        with desk.store.writer() as writer:
            between = sink(writer)
            for path in _outs(recording):
                desk.workspace.store(path, between)
        for name, taken in recording.taken.items():
            busy = claims.take(name, taken.survey.stage.mutex)
            if busy is not None:
                raise LockedError(
                    f"stage {name} can't be recorded: {busy.holder} is at work",
                    hint="Wait until that ended, then run `pivot record` again",
                )
            try:
                vouch(desk, record, _accepted(desk, taken))
            finally:
                claims.release(name)
            finished.append(StageFinished(name, Status.RECORDED, taken.decision.reasons))
    record.close(finished, 0)


def _outs(recording: Recording) -> Iterator[RepoPath]:
    for unstored in recording.unchanged.values():
        yield from unstored
    for taken in recording.taken.values():
        yield from taken.survey.outs


def _accepted(desk: Desk, taken: Taken) -> Lock:
    """A stage's lock, its outs in the store."""
    stage = taken.survey.stage
    run = _run_that_made_it(desk, taken)
    before = run or taken.survey.lock
    # What an incremental out started from, and what else a run uses, only its last run can tell.
    started = Started(taken.survey, taken.deps, before.previous if before is not None else {})
    observed = before.observed if before is not None else Observed()
    if run is None:
        observed = observed.at(taken.survey.seen)
    lock = accept(
        started,
        desk.workspace,
        desk.store,
        lambda: desk.code_now(stage),
        lambda: observed,
        lambda seen: desk.written_now(stage, seen),
    )
    is_of_run = run is not None and _are_same(lock.outs, run.outs)
    return lock if is_of_run else replace(lock, recorded=True)


def _run_that_made_it(desk: Desk, taken: Taken) -> Lock | None:
    """The lock of a run that was not recorded, if it had this key and left these outs."""
    run = unrecorded_lock(desk.state, taken.survey.stage.name)
    if run is None or run.key != taken.survey.declared.key(taken.deps):
        return None
    return run if _are_same(taken.survey.outs, run.outs) else None


def _are_same(now: Mapping[RepoPath, Content | None], left: Mapping[RepoPath, Content]) -> bool:
    """Whether outs are as a run left them."""
    return now.keys() == left.keys() and all(
        (content := now[path]) is not None and same(content, before)
        for path, before in left.items()
    )
