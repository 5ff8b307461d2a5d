"""The plan: for each stage skip, restore, run, or undecided, with reasons. Pure.

A plan is a value, printed or acted on. What depends on a stage that runs is undecided until that
stage's outs are known, and is then settled by the same function.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pivot.explain import Reason, ReasonKind, content_text, explain, same
from pivot.graph import Graph, Producer
from pivot.hashing import ObjectId
from pivot.lock.lock import Lock
from pivot.outputs import OutKind
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content
from pivot.survey import StageSurvey, Survey, World


class Verdict(StrEnum):
    """What is to happen to a stage; the words of `status --json`."""

    SKIP = "unchanged"
    RESTORE = "restorable"
    RUN = "stale"
    UNDECIDED = "pending"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for a stage, and why.

    Attributes:
        reasons: why its own lock isn't enough; none for a stage that is skipped.
        lock: what it is skipped or restored by; None otherwise.
        deps: what its deps hold, as far as that is known.
        missing: deps that nothing makes and that aren't there: it can't run.
        unheld: outs whose bytes nothing else has, or that an incremental stage would not begin
            with: the user's, so the stage stops until forced.
        unstored: outs as its own lock says, which the store lacks: to be added before all else.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    lock: Lock | None = None
    deps: Mapping[RepoPath, Content] | None = None
    missing: tuple[RepoPath, ...] = ()
    unheld: tuple[RepoPath, ...] = ()
    unstored: tuple[RepoPath, ...] = ()

    @property
    def state(self) -> str:
        """The state as `status` shows it: a stage that would be stopped is stale."""
        return Verdict.RUN if self.unheld else self.verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions for a selection of stages, each after all that it reads from."""

    graph: Graph
    survey: Survey
    decisions: Mapping[StageName, Decision]
    forced: frozenset[StageName]

    def settle(self, name: StageName, upstream: Mapping[StageName, Decision]) -> Decision:
        """Decide a stage again, now that more is known of its upstream."""
        return _decide(self.survey, name, upstream, forced=name in self.forced)


def make_plan(
    survey: Survey, selected: Collection[StageName], forced: Collection[StageName] = ()
) -> Plan:
    """Decide for all selected stages; `selected` holds the upstream of each, or it isn't asked."""
    decisions: dict[StageName, Decision] = {}
    for name in survey.graph.stages:
        if name in selected:
            decisions[name] = _decide(survey, name, decisions, forced=name in forced)
    return Plan(survey.graph, survey, decisions, frozenset(forced))


def _decide(
    survey: Survey, name: StageName, upstream: Mapping[StageName, Decision], *, forced: bool
) -> Decision:
    stage = survey.stages[name]
    deps, waiting = _deps(stage, survey.graph.producers[name], upstream)
    decision = (
        _settled(stage, deps, forced=forced) if not waiting else _waiting(stage, deps, waiting)
    )
    unheld = () if forced else _unheld(stage, decision.verdict)
    return replace(decision, unheld=unheld) if unheld else decision


def _deps(
    stage: StageSurvey,
    producers: Mapping[RepoPath, tuple[Producer, ...]],
    upstream: Mapping[StageName, Decision],
) -> tuple[dict[RepoPath, Content | None], tuple[StageName, ...]]:
    """What each dep holds or will hold, and the stages that must be settled to know the rest.

    The out of a stage that is skipped or restored is known without its bytes. A dep that only
    overlaps outs is known from the disk, once those are in place.
    """
    deps: dict[RepoPath, Content | None] = {}
    waiting: set[StageName] = set()
    for dep in stage.stage.deps:
        exact = next((p for p in producers[dep] if p.out == dep), None)
        makers = (exact,) if exact is not None else producers[dep]
        unsettled = {p.stage for p in makers if not _is_known(p, upstream, exact=exact is not None)}
        waiting |= unsettled
        if unsettled:
            continue
        lock = upstream[exact.stage].lock if exact is not None else None
        deps[dep] = lock.outs.get(dep) if lock is not None else stage.sources.get(dep)
    return deps, tuple(sorted(waiting))


def _is_known(producer: Producer, upstream: Mapping[StageName, Decision], *, exact: bool) -> bool:
    decision = upstream.get(producer.stage)
    if decision is None or decision.unheld:
        return False
    return decision.verdict is Verdict.SKIP or (exact and decision.verdict is Verdict.RESTORE)


def _waiting(
    stage: StageSurvey,
    deps: Mapping[RepoPath, Content | None],
    waiting: tuple[StageName, ...],
) -> Decision:
    """Undecided, or certain to run whatever its upstream makes."""
    reasons = explain(stage.lock, World(stage.declared, deps, stage.locations, stage.seen))
    pending = tuple(Reason(ReasonKind.UPSTREAM, name) for name in waiting)
    missing = tuple(path for path, content in deps.items() if content is None)
    certain = missing or (reasons and not stage.candidates)
    verdict = Verdict.RUN if certain else Verdict.UNDECIDED
    return Decision(verdict, (*reasons, *pending), missing=missing)


def _settled(
    stage: StageSurvey, deps: Mapping[RepoPath, Content | None], *, forced: bool
) -> Decision:
    world = World(stage.declared, deps, stage.locations, stage.seen)
    missing = tuple(path for path, content in deps.items() if content is None)
    known = {path: content for path, content in deps.items() if content is not None}
    reasons = explain(stage.lock, world)
    changed = () if stage.lock is None else _changed_outs(stage, stage.lock)
    base = Decision(Verdict.RUN, (*reasons, *changed), None, known, missing, (), _unstored(stage))
    if forced:
        return replace(base, reasons=(*base.reasons, Reason(ReasonKind.FORCED, "--force")))
    if stage.lock is not None and not reasons:
        if not changed:
            return replace(base, verdict=Verdict.SKIP, lock=stage.lock)
        if _obtainable(stage, stage.lock):
            return replace(base, verdict=Verdict.RESTORE, lock=stage.lock)
    for candidate in stage.candidates:
        if not explain(candidate, world) and _obtainable(stage, candidate):
            return replace(base, verdict=Verdict.RESTORE, lock=candidate)
    return base


def settle_by(stage: StageSurvey, deps: Mapping[RepoPath, Content | None]) -> Decision:
    """What is to happen to a stage whose deps hold this, whatever its upstream would make."""
    return _settled(stage, deps, forced=False)


def _obtainable(stage: StageSurvey, lock: Lock) -> bool:
    return all(content in stage.held for content in lock.outs.values())


def _changed_outs(stage: StageSurvey, lock: Lock) -> tuple[Reason, ...]:
    """Outs that aren't what the stage's own lock says; it may be of another declaration."""
    reasons = []
    for path, now in stage.outs.items():
        before = lock.outs.get(path)
        if before is not None and (now is None or not same(before, now)):
            reasons.append(Reason(ReasonKind.OUT, path, content_text(before), content_text(now)))
    return tuple(reasons)


def _is_own(stage: StageSurvey, path: RepoPath, now: Content) -> bool:
    before = stage.lock.outs.get(path) if stage.lock is not None else None
    return before is not None and same(before, now)


def _unheld(stage: StageSurvey, verdict: Verdict) -> tuple[RepoPath, ...]:
    if verdict is Verdict.SKIP:
        return ()
    grown = {out.path for out in stage.stage.outs if out.kind is OutKind.INCREMENTAL}
    return tuple(
        path
        for path, now in stage.outs.items()
        if now is not None
        and not _is_own(stage, path, now)
        and not any(same(now, left) for left in stage.unrecorded)
        and (not _is_held(stage, now) or (path in grown and not _has_record(stage, path)))
    )


def _has_record(stage: StageSurvey, path: RepoPath) -> bool:
    """Whether the stage's own lock knows an out: an incremental one begins with what it says."""
    return stage.lock is not None and path in stage.lock.outs


def _is_held(stage: StageSurvey, now: Content) -> bool:
    return any(same(now, held) for held in stage.held)


def _unstored(stage: StageSurvey) -> tuple[RepoPath, ...]:
    return tuple(
        path
        for path, now in stage.outs.items()
        if now is not None
        and _is_own(stage, path, now)
        and not any(same(now, stored) for stored in stage.stored)
    )


def new_key(stage: StageSurvey, decision: Decision) -> ObjectId | None:
    """The key that a run by this decision has; None while deps are unknown or missing."""
    if decision.deps is None or decision.missing:
        return None
    return stage.declared.key(decision.deps)
