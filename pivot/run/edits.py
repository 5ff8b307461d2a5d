"""Outs that hold what nothing else has: a run stops at them, however late they came to be so."""

from collections.abc import Mapping, Sequence

from pivot.errors import PivotError
from pivot.explain import same
from pivot.outputs import OutKind
from pivot.paths import RepoPath
from pivot.run.desk import Desk
from pivot.store.content import Content
from pivot.survey import StageSurvey


def refuse_edited(desk: Desk, stage: StageSurvey, now: Mapping[RepoPath, Content | None]) -> None:
    """Raise if outs hold other bytes than when they were surveyed, and nothing else has these.

    Between the survey and replacing them lies what can take minutes, as a fetch does.
    """
    paths = []
    for path, content in now.items():
        before = stage.outs.get(path)
        if content is None or (before is not None and same(content, before)):
            continue
        if any(desk.workspace.unheld_files(path, content, desk.store.holds)):
            paths.append(path)
    if paths:
        raise edited(stage, paths)


def edited(stage: StageSurvey, paths: Sequence[RepoPath]) -> PivotError:
    """What is raised for outs that would be lost."""
    grown = {out.path for out in stage.stage.outs if out.kind is OutKind.INCREMENTAL}
    begins_anew = stage.lock is None and not grown.isdisjoint(paths)
    return PivotError(
        f"{', '.join(paths)} would be overwritten",
        why="the stage has no record of what it left there, and would begin with nothing"
        if begins_anew
        else "it holds data that was not made by this stage as it is, and nothing else has it",
        hint=f"Keep a copy, then run `pivot repro --force {stage.stage.name}`",
    )
