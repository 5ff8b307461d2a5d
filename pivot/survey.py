"""Looking before deciding: reads the disk, the locks and what is held into a value.

The plan is made of this value alone, so `status`, `--dry-run` and `repro` can't differ.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from pivot.code.extra import extra_files
from pivot.code.findings import SCHEME, Fingerprint, Kind, Location
from pivot.definition.stage import Stage
from pivot.graph import Graph
from pivot.history import History
from pivot.late import Late, LateMapping
from pivot.lock.code import CodeHashes
from pivot.lock.declared import Declared
from pivot.lock.folder import read_lock
from pivot.lock.lock import Lock, UnreadableLockError
from pivot.lock.observed import Observed
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content
from pivot.track.contents import Kept, TrackedContents
from pivot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StageSurvey:
    """All that is known of one stage before anything is decided.

    Attributes:
        lock: the stage's own, None where there is none or it can't be read (see `lock_fault`).
        candidates: other locks in believed history with the same static key, best first.
        sources: what deps hold that no stage makes, and deps that merely overlap outs of others;
            None where nothing is. What is tracked and isn't there counts as what its `.pvt` says.
        outs: what the paths of its outs hold now; None where nothing is.
        held: those contents, of the disk or of locks, that can be had without running.
        stored: contents of `outs` that are in the local store.
        kept: deps that are tracked and not there, to be put in place before the stage runs.
        seen: what everything that its locks observed hashes to now, as in `World`.
        written: its own lock as the file has it, where that is of another scheme and `lock` says
            the same under ours.
        unrecorded: what a run left at its outs that was not to be recorded.
    """

    stage: Stage
    declared: Declared
    locations: Mapping[str, Location]
    kinds: Mapping[str, str]
    lock: Lock | None
    lock_fault: UnreadableLockError | None
    candidates: Collection[Lock]
    sources: Mapping[RepoPath, Content | None]
    outs: Mapping[RepoPath, Content | None]
    held: Collection[Content]
    stored: frozenset[Content]
    kept: Mapping[RepoPath, Kept] = field(default_factory=dict)
    seen: Mapping[str, str | None] = field(default_factory=dict)
    written: Lock | None = None
    unrecorded: Collection[Content] = ()

    @property
    def is_outdated(self) -> bool:
        """Whether its lock's file is to be written anew under our scheme, if it holds.

        One of a newer scheme is left as it is, for whoever made it.
        """
        return self.written is not None and self.written.declared.scheme < SCHEME


@dataclass(frozen=True, slots=True)
class Survey:
    """The surveys of all selected stages, and of those upstream of them."""

    graph: Graph
    stages: Mapping[StageName, StageSurvey]


@dataclass(frozen=True, slots=True)
class World:
    """What a lock is compared with: the disk now, or any commit.

    Attributes:
        deps: what each dep holds; None where nothing is.
        seen: hashes of what a lock observed, by the names of `Observed.entries`, as they are in
            this world.
    """

    declared: Declared
    deps: Mapping[RepoPath, Content | None]
    locations: Mapping[str, Location] = field(default_factory=dict)
    seen: Mapping[str, str | None] = field(default_factory=dict)


def _nothing_seen(_: Iterable[Observed]) -> Mapping[str, str | None]:
    """For those whose locks observed nothing."""
    return {}


def _all_recorded(_: StageName) -> Collection[Content]:
    """For those whose runs were all recorded."""
    return ()


def _never(_: Lock) -> None:
    """For those who can re-key no lock."""


def _unknown_part(_: RepoPath, __: RepoPath, ___: Content) -> None:
    """For those who can read no directory."""


class _Known(NamedTuple):
    """What is known of a stage before anything in the workspace is looked at."""

    declared: Declared
    fingerprint: Fingerprint
    kinds: Mapping[str, str]
    lock: Lock | None
    fault: UnreadableLockError | None
    candidates: Collection[Lock]
    written: Lock | None

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Those that may skip or restore the stage."""
        return (*self.candidates, *([self.lock] if self.lock is not None else ()))


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Where to look.

    Attributes:
        has: says which of some contents are in the store.
        obtainable: says what a remote could give.
        tracked: what the project tracks.
        part: what a path inside a tracked directory should hold, of (path, directory, what that
            holds); None where that isn't known.
        seen: what all that was observed hashes to now; asked once for all stages.
        rekeyed: a lock of another scheme as it is under ours; None where that isn't known.
        unrecorded: what a stage's last run left that was not to be recorded.
    """

    workspace: Workspace
    locks: str
    history: History
    has: Callable[[Collection[Content]], frozenset[Content]]
    obtainable: Callable[[Content], bool]
    tracked: TrackedContents = field(default_factory=TrackedContents)
    part: Callable[[RepoPath, RepoPath, Content], Content | None] = _unknown_part
    seen: Callable[[Iterable[Observed]], Mapping[str, str | None]] = _nothing_seen
    rekeyed: Callable[[Lock], Lock | None] = _never
    unrecorded: Callable[[StageName], Collection[Content]] = _all_recorded

    def survey(
        self,
        graph: Graph,
        names: Iterable[StageName],
        fingerprints: Mapping[str, Fingerprint],
        packages: Mapping[str, Mapping[str, str]],
    ) -> Survey:
        """Look at these stages. `fingerprints` and `packages` are by what `Stage.entry` says."""
        stages = [graph.stages[name] for name in names]
        self.workspace.recall({p for s in stages for p in (*s.deps, *(o.path for o in s.outs))})
        outs = {
            stage.name: {out.path: self.workspace.content(out.path) for out in stage.outs}
            for stage in stages
        }
        stored = self.has({c for there in outs.values() for c in there.values() if c is not None})
        read = {stage.name: _sources(graph, stage) for stage in stages}
        deps = {dep: self._source(dep) for dep in dict.fromkeys(chain.from_iterable(read.values()))}
        known = {s.name: self._know(s, fingerprints[s.entry], packages[s.entry]) for s in stages}
        seen = LateMapping(
            self.seen(one.lock.observed for one in known.values() if one.lock is not None),
            lambda: self.seen(lock.observed for one in known.values() for lock in one.candidates),
        )
        return Survey(
            graph,
            {
                stage.name: self._look(
                    stage,
                    {dep: deps[dep] for dep in read[stage.name]},
                    known[stage.name],
                    outs[stage.name],
                    stored,
                    seen,
                )
                for stage in stages
            },
        )

    def _know(
        self, stage: Stage, fingerprint: Fingerprint, packages: Mapping[str, str]
    ) -> "_Known":
        files = extra_files(stage.name, stage.extra, self.workspace.root, self.workspace.file_id)
        declared = declare(stage, fingerprint, packages, files)
        written, fault = self._own_lock(stage.name, CodeHashes.of(declared.code))
        lock = self._under_our_scheme(written)
        # Most stages name no files, and the kinds of symbols are made when they are asked for.
        kinds = {**fingerprint.kinds, **dict.fromkeys(files, Kind.FILE)} if files else None
        return _Known(
            declared,
            fingerprint,
            kinds or fingerprint.kinds,
            lock,
            fault,
            Late(lambda: self.history.find(declared.static_key)),
            None if lock is written else written,
        )

    def _under_our_scheme(self, lock: Lock | None) -> Lock | None:
        """A lock re-keyed, where it has to be and can be."""
        if lock is None or lock.declared.scheme == SCHEME:
            return lock
        return self.rekeyed(lock) or lock

    def _look(
        self,
        stage: Stage,
        sources: Mapping[RepoPath, Content | None],
        known: "_Known",
        outs: Mapping[RepoPath, Content | None],
        stored: frozenset[Content],
        seen: Mapping[str, str | None],
    ) -> StageSurvey:
        absent = (self._kept(dep) for dep, content in sources.items() if content is None)
        kept = {one.path: one for one in absent if one is not None}
        sources = {**sources, **{path: one.content for path, one in kept.items()}}
        held = Late(lambda: self._held(outs, known.locks))
        stored = stored.intersection(content for content in outs.values() if content is not None)
        return StageSurvey(
            stage, known.declared, known.fingerprint.locations, known.kinds,
            known.lock, known.fault, known.candidates, sources, outs, held, stored, kept, seen,
            known.written, Late(lambda: self.unrecorded(stage.name)),
        )  # fmt: skip

    def _source(self, dep: RepoPath) -> Content | None:
        """What a dep holds; None also where something tracked in it isn't there.

        What is left of such a folder is not what a stage should read.
        """
        if all(map(self.workspace.exists, self.tracked.inside(dep))):
            return self.workspace.content(dep)
        return None

    def _kept(self, dep: RepoPath) -> Kept | None:
        """What a dep that isn't there should hold, if it is tracked and that is known."""
        owner = self.tracked.owner(dep)
        if owner is None:
            return None
        whole = self.tracked.contents[owner]
        content = whole if owner == dep else self.part(dep, owner, whole)
        return None if content is None else Kept(dep, content, owner, whole)

    def _held(
        self, outs: Mapping[RepoPath, Content | None], locks: Iterable[Lock]
    ) -> frozenset[Content]:
        """What can be had without running, of what outs hold or should hold."""
        contents = {content for content in outs.values() if content is not None}
        for lock in locks:
            contents.update(lock.outs.values())
        stored = self.has(contents)
        held = stored | frozenset(filter(self.obtainable, contents - stored))
        return held | {now for path, now in outs.items() if now and self._is_kept(path, now)}

    def _is_kept(self, path: RepoPath, now: Content) -> bool:
        """Whether replacing what `path` holds would lose no file's bytes."""
        files = self.workspace.unheld_files(path, now, lambda content: bool(self.has((content,))))
        return next(files, None) is None

    def _own_lock(
        self, name: StageName, code: CodeHashes
    ) -> tuple[Lock | None, UnreadableLockError | None]:
        try:
            return read_lock(self.locks, name, code), None
        except UnreadableLockError as error:
            return None, error


def _sources(graph: Graph, stage: Stage) -> list[RepoPath]:
    """The deps of a stage that are no stage's out, but may overlap some."""
    return [
        dep
        for dep, producers in graph.producers[stage.name].items()
        if not any(producer.out == dep for producer in producers)
    ]


def declare(
    stage: Stage,
    fingerprint: Fingerprint,
    packages: Mapping[str, str],
    files: Mapping[str, str],
) -> Declared:
    """What a stage's lock would declare if it ran now; `files` are those of `extra_code`."""
    return Declared(
        scheme=SCHEME,
        code=CodeHashes.of({**fingerprint.code, **files} if files else fingerprint.code),
        packages=packages,
        params=stage.params,
        env={},
        cwd=stage.cwd,
        deps=stage.deps,
        outs=stage.outs,
        version=stage.version,
    )
