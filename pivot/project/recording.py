"""Recording stages with a project's parts: the workspace is taken as true, and nothing runs."""

from collections.abc import Sequence

from pivot.paths import RepoPath, StageName
from pivot.plan import Plan
from pivot.project.desk import desk
from pivot.project.managed import refuse_tracked, stored_outs, write_managed_files
from pivot.project.metered import Metered, Progress
from pivot.project.planner import Planner
from pivot.run.record import RunRecord
from pivot.run.recording import Recording, plan_recording, record_all


def find_recording(planner: Planner, plan: Plan, named: Sequence[StageName]) -> Recording:
    """What recording the named stages of a plan comes to; nothing is written.

    Raises what `plan_recording` does, and `UsageError` if Git tracks an out.
    """
    recording = plan_recording(plan, named, planner.project.workspace)
    refuse_tracked(planner.project, stored_outs(plan.graph.stages[n] for n in recording.taken))
    return recording


def record(planner: Planner, recording: Recording, progress: Progress) -> None:
    """Store what is to be recorded and write the locks; see `pivot.run.recording`."""
    project = planner.project
    write_managed_files(project, planner.graph.stages.values(), planner.tracked.paths)
    paths = [path for taken in recording.taken.values() for path in taken.survey.outs]
    paths.extend(path for unstored in recording.unchanged.values() for path in unstored)
    record_all(
        desk(planner),
        recording,
        RunRecord.fresh(project.layout.runs),
        lambda writer: Metered(writer, lambda: _unread(planner, paths), progress),
    )


def _unread(planner: Planner, paths: Sequence[RepoPath]) -> int:
    return sum(map(planner.project.workspace.unread_size, paths))
