"""Looking before deciding: reads the disk, the locks and what is held into a value.

The plan is made of this value alone, so `status`, `--dry-run` and `repro` can't differ.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pivot.code.findings import SCHEME, Fingerprint, Location
from pivot.definition.stage import Stage
from pivot.graph import Graph
from pivot.history import History
from pivot.lock.declared import Declared
from pivot.lock.folder import read_lock
from pivot.lock.lock import Lock, UnreadableLockError
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content
from pivot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StageSurvey:
    """All that is known of one stage before anything is decided.

    Attributes:
        lock: the stage's own, None where there is none or it can't be read (see `lock_fault`).
        candidates: other locks in believed history with the same static key, best first.
        sources: what deps hold that no stage makes, and deps that merely overlap outs of others;
            None where nothing is.
        outs: what the paths of its outs hold now; None where nothing is.
        held: those contents, of the disk or of locks, that can be had without running.
        stored: those that are in the local store.
    """

    stage: Stage
    declared: Declared
    locations: Mapping[str, Location]
    kinds: Mapping[str, str]
    lock: Lock | None
    lock_fault: UnreadableLockError | None
    candidates: tuple[Lock, ...]
    sources: Mapping[RepoPath, Content | None]
    outs: Mapping[RepoPath, Content | None]
    held: frozenset[Content]
    stored: frozenset[Content]


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
        seen: hashes of what a lock observed (`code:`, `env:` or `file:` and the name), as they
            are in this world.
    """

    declared: Declared
    deps: Mapping[RepoPath, Content | None]
    locations: Mapping[str, Location] = field(default_factory=dict)
    seen: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Where to look. `has` says what is in the store, `obtainable` what a remote could give."""

    workspace: Workspace
    locks: str
    history: History
    has: Callable[[Content], bool]
    obtainable: Callable[[Content], bool]

    def survey(
        self,
        graph: Graph,
        names: Iterable[StageName],
        fingerprints: Mapping[str, Fingerprint],
        packages: Mapping[str, Mapping[str, str]],
    ) -> Survey:
        """Look at these stages. `fingerprints` and `packages` are by the stages' symbols."""
        found: dict[StageName, StageSurvey] = {}
        for name in names:
            stage = graph.stages[name]
            fingerprint = fingerprints[stage.symbol]
            declared = declare(stage, fingerprint, packages[stage.symbol])
            found[name] = self._look(stage, graph, declared, fingerprint)
        return Survey(graph, found)

    def _look(
        self, stage: Stage, graph: Graph, declared: Declared, fingerprint: Fingerprint
    ) -> StageSurvey:
        lock, fault = self._own_lock(stage.name)
        candidates = self.history.find(declared.static_key)
        sources = {
            dep: self.workspace.content(dep)
            for dep, producers in graph.producers[stage.name].items()
            if not any(producer.out == dep for producer in producers)
        }
        outs = {out.path: self.workspace.content(out.path) for out in stage.outs}
        contents = {content for content in outs.values() if content is not None}
        for known in (*candidates, *([lock] if lock else ())):
            contents.update(known.outs.values())
        stored = frozenset(filter(self.has, contents))
        held = stored | frozenset(filter(self.obtainable, contents - stored))
        held |= {now for path, now in outs.items() if now and self._is_kept(path, now)}
        return StageSurvey(
            stage, declared, fingerprint.locations, fingerprint.kinds, lock, fault,
            candidates, sources, outs, held, stored,
        )  # fmt: skip

    def _is_kept(self, path: RepoPath, now: Content) -> bool:
        """Whether replacing what `path` holds would lose no file's bytes."""
        return next(self.workspace.unheld_files(path, now, self.has), None) is None

    def _own_lock(self, name: StageName) -> tuple[Lock | None, UnreadableLockError | None]:
        try:
            return read_lock(self.locks, name), None
        except UnreadableLockError as error:
            return None, error


def declare(stage: Stage, fingerprint: Fingerprint, packages: Mapping[str, str]) -> Declared:
    """What a stage's lock would declare if it ran now."""
    return Declared(
        scheme=SCHEME,
        code=fingerprint.code,
        packages=packages,
        params=stage.params,
        env={},
        cwd=stage.cwd,
        deps=stage.deps,
        outs=stage.outs,
    )
