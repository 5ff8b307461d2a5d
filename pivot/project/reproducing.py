"""Running a plan with a project's parts; imported only when there is something to do."""

import os

from pivot.errors import ExitCode
from pivot.lock.folder import list_locks, lock_path
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan
from pivot.project.managed import refuse_tracked, stored_outs, write_managed_files
from pivot.project.project import Project
from pivot.run.aside import recover
from pivot.run.events import Sink
from pivot.run.executors.executor import Executor
from pivot.run.executors.local import LocalExecutor
from pivot.run.job import Job
from pivot.run.record import RunRecord
from pivot.run.repro import Repro
from pivot.run.workbench import Workbench


def reproduce(project: Project, plan: Plan, sink: Sink, *, jobs: int, keep_going: bool) -> ExitCode:
    """Carry out a plan; see `pivot.run.repro`.

    Raises `UsageError` before anything starts if Git tracks an out.
    """
    refuse_tracked(project, stored_outs(plan.graph.stages[name] for name in plan.decisions))
    write_managed_files(project)
    bench = Workbench(
        workspace=project.workspace,
        state=project.state,
        store=project.store,
        history=project.history,
        locks=project.layout.locks,
        temporary=project.layout.temporary,
        look=project.look,
        code_now=project.code_now,
        job=lambda name, log: _job(project, name, log),
        fetch=project.remote_results.bring,
        executor=lambda: _executor(project),
    )
    record = RunRecord.fresh(project.layout.runs)
    return Repro(bench, plan, record, sink, jobs=jobs, keep_going=keep_going).run()


def recover_outs(project: Project) -> tuple[RepoPath, ...]:
    """Put back what runs that died had moved aside; returns the outs concerned."""
    return recover(project.root)


def remove_orphans(project: Project) -> tuple[StageName, ...]:
    """Remove the locks of stages that no definition has any more; Git still has them."""
    names = list_locks(project.layout.locks)
    gone = [name for name in names if name not in project.graph.stages]
    for name in gone:
        os.unlink(os.path.join(project.layout.locks, lock_path(name)))
    return tuple(gone)


def _job(project: Project, name: StageName, log: str) -> Job:
    stage = project.graph.stages[name]
    return Job(
        stage=name,
        project=project.root,
        source=stage.source,
        symbol=stage.symbol,
        params=stage.params,
        cwd=stage.cwd,
        log=log,
        roots=tuple(os.path.join(project.root, root) for root in project.definitions.roots),
    )


def _executor(project: Project) -> Executor:
    """Where stages run: processes of this machine, so far."""
    modules = {m for f in project.code.fingerprints.values() for m in f.modules}
    executor = LocalExecutor(preload=sorted(modules))
    executor.start()
    return executor
