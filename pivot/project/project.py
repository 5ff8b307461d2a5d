"""A project's parts, each opened at first use, and planning with them.

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
from pivot.config import Config, Source
from pivot.definition.definitions import Definitions, load_definitions
from pivot.definition.definitions import decode as decode_definitions
from pivot.definition.definitions import encode as encode_definitions
from pivot.definition.discovery import discover
from pivot.definition.evidence import still_holds
from pivot.errors import DeniedError, NoProjectError
from pivot.graph import Graph, build
from pivot.hashing import ObjectId
from pivot.history import History
from pivot.lock.folder import list_locks, lock_path, read_lock
from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan, make_plan
from pivot.project.interpreter import refuse_other_environment
from pivot.project.layout import Layout, find_project
from pivot.project.sources import DiskSources
from pivot.state import State
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.survey import StageSurvey, Survey, Surveyor
from pivot.workspace import Workspace

if TYPE_CHECKING:
    from pivot.git.repository import Repository
    from pivot.project.fetching import RemoteResults

_DEFINITIONS = "definitions"
_CODE = "code"
PARAMS_FILE = "params.yaml"


class Project:
    """A project and its parts. `close` keeps what was learned."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._warn: Callable[[str], None] | None = None
        self.has_reloaded = False

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
        value, source = self.config.get("cache.dir")
        folder = os.path.normpath(os.path.join(self.root, os.path.expanduser(str(value))))
        if source is Source.PROJECT and not folder.startswith(self.root + os.sep):
            raise DeniedError(
                f"cache.dir is {folder}, outside of the project",
                why="the setting came with the repository, which must not say where to write",
                hint=f"If you want that, run `pivot config set --local cache.dir {folder}`",
            )
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
    def remote_results(self) -> "RemoteResults":
        from pivot.project.fetching import RemoteResults

        return RemoteResults(self.config, self.root, self.store, self._warn)

    def _obtainable(self, content: Content) -> bool:
        return self.remote_results.has(content)

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
        self.has_reloaded = True
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
        return self._record_now(symbol).fingerprints[symbol].code

    def _record_now(self, symbol: str) -> CodeRecord:
        record = self.code
        if record.holds(self._source_id, DiskSources(self.root).is_dir):
            return record
        return self._analyse([symbol], record.roots, record.installation)

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
        """One stage again, now: a run takes its key when it starts, not when it is planned."""
        record = self._record_now(self.graph.stages[name].symbol)
        found = self.surveyor().survey(self.graph, [name], record.fingerprints, record.packages)
        return found.stages[name]

    def plan(
        self, names: Sequence[str] = (), *, forced: bool = False
    ) -> tuple[Plan, tuple[StageName, ...]]:
        """The plan for the named stages (all without names) with their upstream, and the names."""
        selected = self.graph.select(names)
        named = self.graph.select(names, upstream=False)
        plan = make_plan(self.survey(selected), selected, named if forced else ())
        return plan, named

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

    def analysed_sources(self) -> tuple[RepoPath, ...]:
        """The files that the last analysis read, and overrides of parameters; nothing is loaded."""
        data = self.state.document(_CODE)
        record = decode_code(data) if data is not None else None
        found = {path for path, id_ in record.files.items() if id_} if record else set()
        if os.path.exists(os.path.join(self.root, PARAMS_FILE)):
            found.add(RepoPath(PARAMS_FILE))
        return tuple(sorted(found))
