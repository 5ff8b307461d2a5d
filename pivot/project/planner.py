"""Planning: a project's stages as they are defined now, their code, and what is to be done.

Whoever makes a planner may run the definitions' code, in a process of its own. Commands that must
not (checkout, push, pull, commit) make none.
"""

import contextlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import TYPE_CHECKING

from pivot.code.findings import Fingerprint
from pivot.definition.definitions import Definitions, load_definitions
from pivot.definition.definitions import decode as decode_definitions
from pivot.definition.definitions import encode as encode_definitions
from pivot.definition.discovery import NoStagesError, Source, discover
from pivot.definition.evidence import edited_files, surroundings_hold
from pivot.errors import MissingDataError
from pivot.graph import Graph, build
from pivot.hashing import ObjectId
from pivot.history import History
from pivot.lock.fields import content_row, read_content
from pivot.lock.folder import lock_path
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed, present
from pivot.paths import RepoPath, StageName
from pivot.plan import Plan, Verdict, make_plan
from pivot.project.code import Code
from pivot.project.imported import Imported
from pivot.project.interpreter import refuse_other_environment
from pivot.project.project import Project
from pivot.run.unrecorded import unrecorded_lock
from pivot.store.content import Content
from pivot.survey import StageSurvey, Survey, Surveyor
from pivot.track.contents import TrackedContents, TrackedState
from pivot.track.directory import content_at, names_at
from pivot.track.finding import find_tracked, pass_over
from pivot.track.listings import Listings
from pivot.track.pvt import read_pvt

if TYPE_CHECKING:
    from pivot.project.fetching import RemoteResults
    from pivot.project.package_versions import PackageVersions
    from pivot.project.present_code import PresentCode
    from pivot.project.proving import Search
    from pivot.project.rekeying import Proof, Rekeying

DEFINITIONS = "definitions"

type Hashes = Callable[[Collection[str]], Mapping[str, str | None]]
"""The present hashes of symbols; see `Code.hashes`."""


class Planner:
    """The planning parts of a project, each opened at first use."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.has_reloaded = False
        self._looked_at: Mapping[str, ObjectId | None] = {}
        self._warn: Callable[[str], None] | None = None

    @cached_property
    def history(self) -> History:
        """What this clone's runs wrote."""
        return History(self.project.state, self.project.layout.runs)

    def allow_fetching(self, warn: Callable[[str], None]) -> None:
        """Let this command ask the default remote; `warn` is told why that fails, if it does."""
        self._warn = warn

    @cached_property
    def remote_results(self) -> "RemoteResults":
        from pivot.project.fetching import RemoteResults

        return RemoteResults(self.project.config, self.project.root, self.project.store, self._warn)

    def _obtainable(self, content: Content) -> bool:
        return self.remote_results.has(content)

    # -- stages -------------------------------------------------------------------------------

    @cached_property
    def definitions(self) -> Definitions:
        """The stages as they are defined now; user code runs only if its evidence changed."""
        refuse_other_environment(self.project.root, os.environ)
        sources = discover(self.project.root, self.project.config.text("pipeline.module"))
        known = self._known_definitions(sources)
        if known is not None:
            return known
        fresh = self._load(sources)
        self.has_reloaded = True
        if fresh.evidence.cacheable:
            self.project.state.record_document(DEFINITIONS, encode_definitions(fresh))
        return fresh

    def _load(self, sources: tuple[Source, ...]) -> Definitions:
        from pivot.project.foreseeing import foreseeing

        with foreseeing(self.project, sources) as foresight:
            definitions = load_definitions(self.project.root, sources, foresight.begin)
            foresight.keep()
        return definitions

    def _known_definitions(self, sources: tuple[Source, ...]) -> Definitions | None:
        """What the accelerator has of these sources, if loading them would give the same."""
        root = self.project.root
        data = self.project.state.document(DEFINITIONS)
        try:
            known = None if data is None else decode_definitions(data)
        except ValueError:
            known = None
        if known is None or known.sources != sources or not surroundings_hold(known.evidence, root):
            return None
        ids = self.project.file_ids(known.evidence.files)
        edited = edited_files(known.evidence, ids)
        if not edited:
            self._looked_at = ids
            return known
        from pivot.definition.revision import revised

        now = revised(known, root, edited)
        if now is not None:
            self.project.state.record_document(DEFINITIONS, encode_definitions(now))
        return now

    @cached_property
    def graph(self) -> Graph:
        """The graph of all stages. Raises `DefinitionError`.

        A project that tracks data may do without stages.
        """
        try:
            return build(self.definitions.stages, self.tracked.paths)
        except NoStagesError:
            if not self.tracked.paths:
                raise
            return build(())

    @cached_property
    def tracked(self) -> TrackedContents:
        """What the project tracks. Outs that runs wrote are not looked into for it."""
        locks = self.project.layout.locks
        outs: set[RepoPath] = set()
        with contextlib.suppress(NoStagesError):
            for stage in self.definitions.stages:
                if os.path.exists(os.path.join(locks, lock_path(stage.name))):
                    outs.update(out.path for out in stage.outs)
        paths = find_tracked(self.project.root, outs=outs, denied=pass_over)
        return TrackedContents.read(paths, lambda path: read_pvt(self.project.root, path))

    def tracked_states(
        self, survey: Survey, paths: Collection[RepoPath]
    ) -> dict[RepoPath, TrackedState]:
        """How the workspace compares with what is tracked, for these paths.

        What `survey` looked at already is not looked at again.
        """
        seen: dict[RepoPath, Content | None] = {}
        for stage in survey.stages.values():
            seen |= {p: None if p in stage.kept else c for p, c in stage.sources.items()}
        return {
            path: TrackedState.of(
                seen[path] if path in seen else self.project.workspace.content(path), content
            )
            for path, content in self.tracked.contents.items()
            if path in paths
        }

    def lacking(self, plan: Plan) -> Iterator[tuple[StageName, RepoPath]]:
        """Tracked deps of stages that are to run which neither the store nor a remote has.

        Asked only where it matters: a remote may have to be listed for it.
        """
        has = self.project.store.holds
        for name, decision in plan.decisions.items():
            if decision.verdict is Verdict.RUN:
                for path, kept in plan.survey.stages[name].kept.items():
                    contents = (kept.content, kept.whole)
                    if not any(map(has, contents)) and not any(map(self._obtainable, contents)):
                        yield name, path

    def _tracked_part(self, path: RepoPath, owner: RepoPath, whole: Content) -> Content | None:
        """What a path inside a tracked directory should hold; None if nobody can tell.

        It is remembered: a tree has many lines, and may be in a remote alone.
        """
        name = f"tracked:{whole.id.hex()}:{path[len(owner) + 1 :]}"
        data = self.project.state.document(name)
        if data is not None:
            return read_content(json.loads(data))
        try:
            content = content_at(path, owner, whole, self.remote_results.tree)
        except MissingDataError:
            return None
        if content is not None:
            self.project.state.record_document(name, json.dumps(content_row(content)).encode())
        return content

    @cached_property
    def code(self) -> Code:
        """The code that the stages reach."""
        definitions = self.definitions
        return Code(self.project, definitions, self._looked_at)

    @cached_property
    def present_code(self) -> "PresentCode":
        """The same while stages run, which may change it."""
        from pivot.project.present_code import PresentCode

        return PresentCode(self.project, self.code, self.imported.behind)

    def fingerprint(self, name: StageName) -> Fingerprint:
        """What a stage reaches, as the plan knows it."""
        return self.code.record.fingerprints[self.graph.stages[name].entry]

    # -- planning -----------------------------------------------------------------------------

    def _surveyor(self, hashes: Hashes) -> Surveyor:
        return Surveyor(
            self.project.workspace,
            self.project.layout.locks,
            self.history,
            self.project.store.holding,
            self._obtainable,
            self.tracked,
            self._tracked_part,
            partial(self._seen, hashes),
            self._rekeyed,
            self._unrecorded,
        )

    def _seen(self, hashes: Hashes, observed: Iterable[Observed]) -> Mapping[str, str | None]:
        """What was observed in earlier runs, as it is now. The environment is this process's."""
        ignored = self.project.config.listed("fingerprint.ignore_env")
        return present(
            observed,
            code=hashes,
            variable=os.environ.get,
            files=self._file_ids,
            folder=self.listings.digest,
            packages=self.imported.now,
            may_differ=lambda name: any(fnmatchcase(name, pattern) for pattern in ignored),
        )

    @cached_property
    def imported(self) -> Imported:
        """The packages that runs were seen to import."""
        return Imported(self.project.state, self.code.installation, self._package_versions)

    def _package_versions(self) -> "PackageVersions":
        from pivot.project.package_versions import PackageVersions

        return PackageVersions(self.project)

    @cached_property
    def listings(self) -> Listings:
        """The names that count in folders."""
        return Listings(
            self.project.root,
            lambda: (out.path for stage in self.definitions.stages for out in stage.outs),
            lambda: self.tracked.paths,
            self._tracked_names,
        )

    def _tracked_names(self, folder: RepoPath) -> Collection[str] | None:
        """The names in a folder inside a tracked directory; None if nobody can tell."""
        owner = self.tracked.owner(folder)
        if owner is None:
            return None
        whole = self.tracked.contents[owner]
        name = f"names:{whole.id.hex()}:{folder}"
        data = self.project.state.document(name)
        if data is not None:
            known: list[str] | None = json.loads(data)
            return known
        try:
            names = names_at(folder, owner, whole, self.remote_results.tree)
        except MissingDataError:
            return None
        self.project.state.record_document(name, json.dumps(names).encode())
        return names

    def _file_ids(self, paths: Collection[RepoPath]) -> Mapping[str, ObjectId | None]:
        """The ids of files' bytes; of tracked files that aren't here, what they should hold."""
        ids = self.project.workspace.file_ids(paths)
        return {path: ids[path] or self._kept_id(path) for path in paths}

    def _kept_id(self, path: RepoPath) -> ObjectId | None:
        owner = self.tracked.owner(path)
        if owner is None:
            return None
        whole = self.tracked.contents[owner]
        content = whole if owner == path else self._tracked_part(path, owner, whole)
        return None if content is None else content.id

    def _unrecorded(self, name: StageName) -> Collection[Content]:
        """What a stage's last run left, if that was not to be recorded."""
        lock = unrecorded_lock(self.project.state, name)
        return () if lock is None else lock.outs.values()

    def _rekeyed(self, lock: Lock) -> Lock | None:
        return self._rekeying.rekeyed(lock)

    @cached_property
    def _rekeying(self) -> "Rekeying":
        from pivot.project.rekeying import Rekeying

        return Rekeying(self.project, self.code, self._proof)

    def _proof(self, lock: Lock) -> "Proof | None":
        return None if self._search is None else self._search.find(lock)

    @cached_property
    def _search(self) -> "Search | None":
        from pivot.project.proving import Search

        repository = self.project.repository
        if repository is None:
            return None
        return Search(self.project, repository, self.definitions.roots)

    def survey(self, names: Collection[StageName]) -> Survey:
        """What is known of these stages now."""
        if not names:
            return Survey(self.graph, {})
        record = self.code.record
        surveyor = self._surveyor(self.code.hashes)
        return surveyor.survey(self.graph, names, record.fingerprints, record.packages)

    def look(self, name: StageName) -> StageSurvey:
        """One stage again, now: a run takes its key when it starts, not when it is planned."""
        record = self.present_code.record_for(self.graph.stages[name].entry)
        surveyor = self._surveyor(self.present_code.hashes)
        return surveyor.survey(self.graph, [name], record.fingerprints, record.packages).stages[
            name
        ]

    def plan(
        self, names: Sequence[str] = (), *, forced: bool = False
    ) -> tuple[Plan, tuple[StageName, ...]]:
        """The plan for the named stages (all without names) with their upstream, and the names."""
        selected = self.graph.select(names)
        named = self.graph.select(names, upstream=False)
        plan = make_plan(self.survey(selected), selected, named if forced else ())
        return plan, named
