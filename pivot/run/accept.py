"""From a stage that returned to its lock: check again, store, then vouch.

Order matters: outs are durable in the store before a lock names them, and a lock is written only
if what it says was read is still there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pivot.definition.stage import Stage
from pivot.errors import PivotError
from pivot.explain import same
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed
from pivot.outputs import OutKind
from pivot.paths import RepoPath
from pivot.run.use import ChangedMeanwhileError
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.survey import StageSurvey
from pivot.workspace import Workspace


class UnwrittenOutError(PivotError):
    """A stage returned without having written all of its outs."""

    code = "unwritten_out"


@dataclass(frozen=True, slots=True)
class Started:
    """What a stage started from: `previous` is what its incremental outs held."""

    stage: StageSurvey
    deps: Mapping[RepoPath, Content]
    previous: Mapping[RepoPath, Content]


def _not_noted(_: Observed) -> str:
    """For those who can't tell."""
    return ""


def accept(
    started: Started,
    workspace: Workspace,
    store: Store | None,
    code_now: Callable[[], Mapping[str, str]],
    observed: Callable[[], Observed] = Observed,
    written: Callable[[Observed], str] = _not_noted,
) -> Lock:
    """Store what a stage wrote and make its lock; nothing is written to the lock's file.

    Without a `store` outs are only looked at.
    `code_now` is the stage's fingerprint of this moment, `observed` what it was seen to use beyond
    what it declares, `written` how its code and what was observed is written (`Lock.sources`).
    Raises `UnwrittenOutError`, or `UnvouchedError` after the outs were stored.
    """
    stage = started.stage.stage
    _check_outs(stage, workspace)
    outs = _outs(stage, workspace) if store is None else _stored(stage, workspace, store)
    _check_deps(started, workspace)
    seen = observed()
    sources = written(seen)
    if code_now() != started.stage.declared.code:  # last, so that all of it was of this code
        raise ChangedMeanwhileError(
            "code changed while it ran",
            why="its outs may come from the old code or the new",
            hint="Run `pivot repro` again",
        )
    kinds = {out.path: out.kind for out in stage.outs}
    return Lock(
        stage=stage.name,
        root=stage.symbol,
        declared=started.stage.declared,
        deps=started.deps,
        outs=outs,
        secrets=stage.secrets,
        extra=stage.extra,
        previous={
            path: content
            for path, content in started.previous.items()
            if kinds.get(path) is OutKind.INCREMENTAL
        },
        sources=sources,
        observed=seen,
    )


def _stored(stage: Stage, workspace: Workspace, store: Store) -> dict[RepoPath, Content]:
    with store.writer() as writer:
        return {out.path: workspace.store(out.path, writer) for out in stage.outs}


def _outs(stage: Stage, workspace: Workspace) -> dict[RepoPath, Content]:
    found = {out.path: workspace.content(out.path) for out in stage.outs}
    return {path: content for path, content in found.items() if content is not None}


def _check_outs(stage: Stage, workspace: Workspace) -> None:
    unwritten = [out.path for out in stage.outs if not workspace.exists(out.path)]
    if unwritten:
        raise UnwrittenOutError(
            f"it did not write {', '.join(unwritten)}",
            hint="Write every declared out, relative to the folder that the stage runs in, or"
            " take it out of `outs=`",
        )


def _check_deps(started: Started, workspace: Workspace) -> None:
    for path, before in started.deps.items():
        now = workspace.content(path)
        if now is None or not same(before, now):
            raise ChangedMeanwhileError(
                f"dep {path} changed while it ran",
                why="its outs may come from the old data or the new",
                hint="Run `pivot repro` again",
            )
