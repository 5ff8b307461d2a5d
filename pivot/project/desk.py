"""A project's parts with which results are vouched for, after a run or without one."""

from pivot.project.planner import Planner
from pivot.run.desk import Desk


def desk(planner: Planner, *, records: bool = True) -> Desk:
    """The parts that take and remember the results of a project's stages, if they are recorded."""
    project = planner.project
    return Desk(
        workspace=project.workspace,
        state=project.state,
        store=project.store,
        history=planner.history,
        locks=project.layout.locks,
        temporary=project.layout.temporary,
        code_now=planner.present_code.of,
        written_now=planner.present_code.written,
        records=records,
    )
