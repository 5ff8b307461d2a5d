"""Running a plan with a project's parts; imported only when there is something to do."""

import os

from pivot.errors import ExitCode
from pivot.lock.folder import list_locks, lock_path
from pivot.paths import StageName
from pivot.plan import Plan, Verdict
from pivot.project.desk import desk
from pivot.project.managed import refuse_tracked, stored_outs, write_managed_files
from pivot.project.planner import Planner
from pivot.project.rekeying import REMEMBERED
from pivot.run.events import Sink
from pivot.run.executors.local import LocalExecutor
from pivot.run.job import Job
from pivot.run.record import RunRecord
from pivot.run.repro import Repro
from pivot.run.sifting import Sifter
from pivot.run.workbench import Workbench


def reproduce(
    planner: Planner,
    plan: Plan,
    sink: Sink,
    *,
    jobs: int,
    keep_going: bool,
    records: bool = True,
) -> ExitCode:
    """Carry out a plan; see `pivot.run.repro`. Without `records`, results stay in the workspace.

    Raises `UsageError` before anything starts if Git tracks an out.
    """
    project = planner.project
    with _executor(planner) as executor:
        runs = [d for d in plan.decisions.values() if d.verdict is Verdict.RUN]
        if runs:
            executor.start()  # it warms up while we look at Git
        if len(runs) > jobs:
            root = os.path.realpath(project.root)
            executor.read_ahead([os.path.join(root, p) for p in planner.present_code.sources])
        refuse_tracked(project, stored_outs(plan.graph.stages[name] for name in plan.decisions))
        write_managed_files(project, planner.graph.stages.values(), planner.tracked.paths)
        bench = Workbench(
            desk=desk(planner, records=records),
            look=planner.look,
            job=lambda name, log: _job(planner, name, log),
            fetch=planner.remote_results.bring,
            tree=planner.remote_results.tree,
            executor=lambda: executor,
            sifter=_sifter(planner),
            strict=project.config.flag("run.strict"),
        )
        record = RunRecord.fresh(project.layout.runs)
        code = Repro(bench, plan, record, sink, jobs=jobs, keep_going=keep_going).run()
    planner.present_code.keep()
    if records and any(stage.is_outdated for stage in plan.survey.stages.values()):
        project.state.forget_documents(REMEMBERED)  # the locks say it themselves now
    return code


def remove_orphans(planner: Planner) -> tuple[StageName, ...]:
    """Remove the locks of stages that no definition has any more; Git still has them."""
    locks = planner.project.layout.locks
    gone = [name for name in list_locks(locks) if name not in planner.graph.stages]
    for name in gone:
        os.unlink(os.path.join(locks, lock_path(name)))
    return tuple(gone)


def _sifter(planner: Planner) -> Sifter:
    project = planner.project
    ignored = project.config.listed("fingerprint.ignore_env")
    beyond = planner.present_code.beyond
    return Sifter(project.workspace, beyond, os.environ, planner.listings, ignored)


def _job(planner: Planner, name: StageName, log: str) -> Job:
    stage = planner.graph.stages[name]
    root = planner.project.root
    return Job(
        stage=name,
        project=root,
        source=stage.source,
        symbol=stage.symbol,
        params=stage.params,
        cwd=stage.cwd,
        log=log,
        roots=tuple(os.path.join(root, folder) for folder in planner.definitions.roots),
        declared=(*stage.deps, *(out.path for out in stage.outs), *planner.code.files_of(stage)),
    )


def _executor(planner: Planner) -> LocalExecutor:
    """Where stages run: processes of this machine, so far. Nothing is started by making it."""
    modules = {m for f in planner.code.record.fingerprints.values() for m in f.modules}
    return LocalExecutor(preload=sorted(modules))
