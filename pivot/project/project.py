"""A project's parts, each opened at first use.

This is the one place that imports rooms late: a no-op must not pay for Git, for remotes or for the
analysis of code that didn't change.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pivot.code.record import CodeRecord
from pivot.code.record import decode as decode_code
from pivot.code.record import encode as encode_code
from pivot.config import Config
from pivot.definition.definitions import Definitions, load_definitions
from pivot.definition.definitions import decode as decode_definitions
from pivot.definition.definitions import encode as encode_definitions
from pivot.definition.discovery import discover
from pivot.definition.evidence import still_holds
from pivot.definition.stage import Stage
from pivot.errors import ExitCode, NoProjectError, UsageError
from pivot.graph import Graph, build
from pivot.hashing import ObjectId
from pivot.history import History
from pivot.lock.folder import list_locks, lock_path, read_lock
from pivot.lock.lock import Lock
from pivot.outputs import OutKind
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan, Verdict, make_plan
from pivot.project.interpreter import refuse_other_environment
from pivot.project.layout import Layout, find_project
from pivot.project.sources import DiskSources
from pivot.run.events import Sink
from pivot.run.unchanged import is_unchanged, report_unchanged
from pivot.state import State
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.survey import StageSurvey, Survey, Surveyor
from pivot.workspace import Workspace

if TYPE_CHECKING:
    from pivot.git.repository import Repository
    from pivot.project.fetching import RemoteResults
    from pivot.run.executors.executor import Executor
    from pivot.run.job import Job

_DEFINITIONS = "definitions"
_CODE = "code"
PARAMS_FILE = "params.yaml"


class Project:
    """A project and its parts. `close` keeps what was learned."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._warn: Callable[[str], None] | None = None

    @classmethod
    def find(cls, start: str) -> "Project":
        """The project that `start` lies in. Raises `NoProjectError`."""
        return cls(find_project(start))

    @property
    def root(self) -> str:
        return self.layout.root

    def close(self) -> None:
        if "state" in self.__dict__:
            self.state.close()

    # -- parts --------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        return Config.load(self.root)

    @cached_property
    def state(self) -> State:
        return State.open(self.layout.state)

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.root, self.state)

    @cached_property
    def store(self) -> Store:
        folder = os.path.join(self.root, self.config.text("cache.dir") or ".pivot/cache")
        return Store.open(folder, level=self.config.number("cache.level") or 1)

    @cached_property
    def history(self) -> History:
        return History(self.state, self.layout.runs)

    @cached_property
    def repository(self) -> "Repository | None":
        """The Git repository around the project; None outside of one."""
        from pivot.git.repository import Repository

        return Repository.discover(self.root)

    def need_repository(self) -> "Repository":
        if self.repository is None:
            raise NoProjectError(
                "this project is in no Git repository", hint="Run `git init` in its root"
            )
        return self.repository

    def allow_fetching(self, warn: Callable[[str], None]) -> None:
        """Let this command ask the default remote; `warn` is told why that fails, if it does."""
        self._warn = warn

    @cached_property
    def _remote_results(self) -> "RemoteResults":
        from pivot.project.fetching import RemoteResults

        return RemoteResults(self.config, self.root, self.store, self._warn)

    def _obtainable(self, content: Content) -> bool:
        return self._remote_results.has(content)

    # -- stages -------------------------------------------------------------------------------

    @cached_property
    def definitions(self) -> Definitions:
        """The stages as they are defined now; user code runs only if its evidence changed."""
        refuse_other_environment(self.root, os.environ)
        sources = discover(self.root, self.config.text("pipeline.module"))
        data = self.state.document(_DEFINITIONS)
        if data is not None:
            try:
                known = decode_definitions(data)
            except ValueError:
                known = None
            if (
                known is not None
                and known.sources == sources
                and still_holds(known.evidence, self.root, self._file_id)
            ):
                return known
        fresh = load_definitions(self.root, sources)
        if fresh.evidence.cacheable:
            self.state.record_document(_DEFINITIONS, encode_definitions(fresh))
        return fresh

    @cached_property
    def graph(self) -> Graph:
        """The graph of all stages. Raises `DefinitionError`."""
        return build(self.definitions.stages)

    @cached_property
    def code(self) -> CodeRecord:
        """The fingerprints of all stages as the sources are now."""
        symbols = sorted({stage.symbol for stage in self.definitions.stages})
        roots = self.definitions.roots
        identity = self._installation
        data = self.state.document(_CODE)
        known = decode_code(data) if data is not None else None
        if (
            known is not None
            and known.roots == roots
            and known.installation == identity
            and known.fingerprints.keys() == set(symbols)
            and known.holds(self._source_id, DiskSources(self.root).is_dir)
        ):
            return known
        fresh = self._analyse(symbols, roots, identity)
        self.state.record_document(_CODE, encode_code(fresh))
        return fresh

    def _analyse(
        self, symbols: Sequence[str], roots: tuple[RepoPath, ...], identity: str
    ) -> CodeRecord:
        from pivot.code.fingerprint import ProjectCode
        from pivot.code.packages import find_providers

        code = ProjectCode(DiskSources(self.root), roots)
        fingerprints = {symbol: code.fingerprint(symbol) for symbol in symbols}
        modules = {module for f in fingerprints.values() for module in f.modules}
        wanted = modules if self.config.text("fingerprint.packages") == "version" else ()
        providers = find_providers(wanted)
        packages = {
            symbol: self._packages(fingerprint.modules, providers)
            for symbol, fingerprint in fingerprints.items()
        }
        return CodeRecord(
            fingerprints, packages, dict(code.evidence), dict(code.folders), roots, identity
        )

    def _packages(
        self, modules: Iterable[str], providers: Mapping[str, Mapping[str, str]]
    ) -> dict[str, str]:
        """The versions that count for a symbol: of distributions, and of Python."""
        found: dict[str, str] = {}
        for module in modules:
            found |= providers.get(module, {})
        if self.config.text("fingerprint.python") == "minor":
            found["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        return dict(sorted(found.items()))

    @property
    def _installation(self) -> str:
        """What versions of packages depend on, beside the sources."""
        policy = (self.config.text("fingerprint.packages"), self.config.text("fingerprint.python"))
        evidence = self.definitions.evidence
        return repr((evidence.python, sorted(evidence.installed.items()), policy))

    def code_now(self, symbol: str) -> Mapping[str, str]:
        """A symbol's fingerprint at this moment, not as it was when the plan was made."""
        record = self.code
        if record.holds(self._source_id, DiskSources(self.root).is_dir):
            return record.fingerprints[symbol].code
        fresh = self._analyse([symbol], record.roots, record.installation)
        return fresh.fingerprints[symbol].code

    def _file_id(self, absolute: str) -> ObjectId | None:
        """The id of a file anywhere, from the stat cache where it can be."""
        relative = os.path.relpath(absolute, self.root)
        return self.workspace.file_id(relative)

    def _source_id(self, path: RepoPath) -> ObjectId | None:
        return self.workspace.file_id(path)

    # -- planning -----------------------------------------------------------------------------

    def surveyor(self) -> Surveyor:
        return Surveyor(
            self.workspace, self.layout.locks, self.history, self.store.holds, self._obtainable
        )

    def survey(self, names: Collection[StageName]) -> Survey:
        """What is known of these stages now."""
        record = self.code
        return self.surveyor().survey(self.graph, names, record.fingerprints, record.packages)

    def look(self, name: StageName) -> StageSurvey:
        """One stage again, now."""
        return self.survey([name]).stages[name]

    def plan(
        self, names: Sequence[str] = (), *, forced: bool = False
    ) -> tuple[Plan, tuple[StageName, ...]]:
        """The plan for the named stages (all without names) with their upstream, and the names."""
        selected = self.graph.select(names)
        named = self.graph.select(names, upstream=False)
        plan = make_plan(self.survey(selected), selected, named if forced else ())
        return plan, named

    # -- running ------------------------------------------------------------------------------

    def recover(self) -> tuple[RepoPath, ...]:
        """Put back what runs that died had moved aside; returns the outs concerned."""
        if not os.path.isdir(self.layout.aside) or not os.listdir(self.layout.aside):
            return ()
        from pivot.run.aside import recover

        return recover(self.root)

    def repro(self, plan: Plan, sink: Sink, *, jobs: int, keep_going: bool) -> ExitCode:
        """Carry out a plan; see `pivot.run.repro`."""
        if is_unchanged(plan):
            return report_unchanged(plan, sink)
        from pivot.run.record import RunRecord
        from pivot.run.repro import Repro, Workbench

        record = RunRecord.fresh(self.layout.runs)
        if any(d.verdict is not Verdict.SKIP for d in plan.decisions.values()):
            self.refuse_tracked(_stored_outs(plan.graph.stages[n] for n in plan.decisions))
            self.write_managed_files()
        bench = Workbench(
            workspace=self.workspace,
            state=self.state,
            store=self.store,
            history=self.history,
            locks=self.layout.locks,
            temporary=self.layout.temporary,
            look=self.look,
            code_now=self.code_now,
            job=self._job,
            fetch=self._remote_results.bring,
            executor=self._executor,
        )
        return Repro(bench, plan, record, sink, jobs=jobs, keep_going=keep_going).run()

    def _job(self, name: StageName, log: str) -> "Job":
        from pivot.run.job import Job

        stage = self.graph.stages[name]
        return Job(
            stage=name,
            project=self.root,
            source=stage.source,
            symbol=stage.symbol,
            params=stage.params,
            cwd=stage.cwd,
            log=log,
            roots=tuple(os.path.join(self.root, root) for root in self.definitions.roots),
        )

    def _executor(self) -> "Executor":
        """Where stages run: processes of this machine, so far."""
        from pivot.run.executors.local import LocalExecutor

        modules = {m for f in self.code.fingerprints.values() for m in f.modules}
        executor = LocalExecutor(preload=sorted(modules))
        executor.start()
        return executor

    def refuse_tracked(self, paths: Collection[RepoPath]) -> None:
        """Raise `UsageError` if Git tracks one of these paths, which Pivot is to write."""
        if self.repository is None:
            return
        works = {self.repository.work_path(self.root, path): path for path in paths}
        tracked = self.repository.tracked(works)
        if tracked:
            path = works[min(tracked)]
            raise UsageError(
                f"{path} is tracked by Git",
                why="Pivot keeps outs in its store, and Git would see each run as a change",
                hint=f"Take it out of Git with `git rm -r --cached {path}`",
            )

    def write_managed_files(self) -> tuple[RepoPath, ...]:
        """Bring ignore block and attributes up to date; returns the files that changed."""
        if self.repository is None:
            return ()
        from pivot.git.attributes import write_attributes
        from pivot.git.ignore import write_ignore

        stages = self.graph.stages.values()
        metrics = [o.path for s in stages for o in s.outs if o.kind is OutKind.METRIC]
        ignored = [*_stored_outs(stages), *self.tracked]
        changed = []
        if write_ignore(self.root, ignored):
            changed.append(RepoPath(".gitignore"))
        if write_attributes(self.root, metrics):
            changed.append(RepoPath(".gitattributes"))
        return tuple(changed)

    # -- locks --------------------------------------------------------------------------------

    def locks(self) -> dict[StageName, Lock]:
        """All locks of the workspace. Raises `UnreadableLockError` for one that can't be read."""
        found: dict[StageName, Lock] = {}
        for name in list_locks(self.layout.locks):
            lock = read_lock(self.layout.locks, name)
            if lock is not None:
                found[name] = lock
        return found

    def remove_orphans(self) -> tuple[StageName, ...]:
        """Remove the locks of stages that no definition has any more; Git still has them."""
        gone = [name for name in list_locks(self.layout.locks) if name not in self.graph.stages]
        for name in gone:
            os.unlink(os.path.join(self.layout.locks, lock_path(name)))
        return tuple(gone)

    @cached_property
    def tracked(self) -> Mapping[RepoPath, Content]:
        """Data that no stage makes, by path: what its `.pvt` files say."""
        return {}

    def analysed_sources(self) -> tuple[RepoPath, ...]:
        """The files that the last analysis read, and overrides of parameters; nothing is loaded."""
        data = self.state.document(_CODE)
        record = decode_code(data) if data is not None else None
        found = {path for path, id_ in record.files.items() if id_} if record else set()
        if os.path.exists(os.path.join(self.root, PARAMS_FILE)):
            found.add(RepoPath(PARAMS_FILE))
        return tuple(sorted(found))

    def tracked_json(self) -> list[dict[str, str]]:
        """Tracked data and its state, as `status --json` prints it."""
        return []


def _stored_outs(stages: Iterable[Stage]) -> list[RepoPath]:
    """The outs that Git must not have: all but metrics."""
    outs = (out for stage in stages for out in stage.outs)
    return [out.path for out in outs if out.kind is not OutKind.METRIC]
