"""Verifying a project from its locks alone: no definitions are loaded, no code of it runs."""

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pivot.code.findings import Fingerprint
from pivot.code.fingerprint import ProjectCode
from pivot.code.record import DOCUMENT, decode
from pivot.definition.lookups import own_entries
from pivot.definition.ownership import ownership
from pivot.errors import DefinitionError, UsageError, nearest
from pivot.hashing import ObjectId
from pivot.lock.folder import list_locks, lock_path, read_lock
from pivot.lock.lock import Lock, UnreadableLockError
from pivot.paths import PathError, RepoPath, StageName
from pivot.project.mending import Mended
from pivot.project.project import Project
from pivot.project.proving import Search
from pivot.project.rekeying import Rekeying
from pivot.project.sources import DiskSources
from pivot.store.audit import Progress
from pivot.store.check import Health, Part, SoundPart, check
from pivot.track.contents import TrackedContents
from pivot.track.finding import find_tracked, pass_over
from pivot.track.listings import Listings
from pivot.track.pvt import pvt_path, read_pvt
from pivot.verify.claim import Claim, claims_of
from pivot.verify.examine import Examiner
from pivot.verify.finding import Finding, FindingKind, State, Verdict
from pivot.verify.needs import Needs


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is verified: locks, those that can't be read, and what tracked paths should hold.

    A `.pvt` file that can't be read is a fault of `tracked`.

    Attributes:
        beside: all that the project has, if this is only a part of it.
    """

    locks: Mapping[StageName, Lock]
    unreadable: Mapping[StageName, UnreadableLockError]
    tracked: TrackedContents
    beside: "Subjects | None" = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claims_of(self.locks, self.tracked.contents))


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found; `mended` if the store was mended first."""

    stages: tuple[Verdict, ...]
    tracked: tuple[Verdict, ...]
    health: Health
    mended: Mended | None

    @property
    def state(self) -> State:
        """The worst of all."""
        store = State.GOOD if self.health.is_sound else State.DAMAGED
        return max([store, *(v.state for v in (*self.stages, *self.tracked))])


def subjects(project: Project, targets: Sequence[str] = ()) -> Subjects:
    """What TARGETS (stages, outs, folders that outs lie in) are about; all without any.

    Raises `UsageError` for one that is none.
    """
    locks: dict[StageName, Lock] = {}
    unreadable: dict[StageName, UnreadableLockError] = {}
    for name in list_locks(project.layout.locks):
        try:
            lock = read_lock(project.layout.locks, name)
        except UnreadableLockError as error:
            unreadable[name] = error
        else:
            if lock is not None:
                locks[name] = lock
    outs = {path for lock in locks.values() for path in lock.outs}
    paths = find_tracked(project.root, outs=outs, denied=pass_over)
    tracked = TrackedContents.read(paths, lambda path: read_pvt(project.root, path))
    found = Subjects(locks, unreadable, tracked)
    return _select(found, targets) if targets else found


def _select(all_: Subjects, targets: Sequence[str]) -> Subjects:
    names: set[str] = set()
    for target in targets:
        matching = _owners(all_, target)
        if not matching:
            known = [*all_.locks, *all_.unreadable, *all_.tracked.faults]
            near = nearest(target, [*known, *(claim.path for claim in all_.claims)])
            raise UsageError(
                f"{target!r} is no stage and no out",
                hint=f"Did you mean '{near}'?" if near else "`pivot verify` shows all",
            )
        names |= matching
    return Subjects(
        {name: lock for name, lock in all_.locks.items() if name in names},
        {name: error for name, error in all_.unreadable.items() if name in names},
        TrackedContents(
            {path: content for path, content in all_.tracked.contents.items() if path in names},
            {path: error for path, error in all_.tracked.faults.items() if path in names},
        ),
        all_,
    )


def _owners(all_: Subjects, target: str) -> set[str]:
    """The stages and tracked paths that a target names, by name or by what they claim."""
    if target in all_.locks or target in all_.unreadable:
        return {target}
    with contextlib.suppress(PathError):  # what can't be a path names no out either
        path = RepoPath.resolve(target, base=RepoPath.ROOT)
        owners = [(claim.path, claim.owner) for claim in all_.claims]
        owners += [(fault, fault) for fault in all_.tracked.faults]
        return {owner for p, owner in owners if path.contains(p) or p.contains(path)}
    return set()


@dataclass(frozen=True, slots=True)
class Looking:
    """How to look.

    Attributes:
        elsewhere: whether an entry can be had from elsewhere; None where all must be here.
        read_data: read every stored byte, of the packs in `part`.
    """

    elsewhere: Callable[[ObjectId], bool] | None = None
    read_data: bool = False
    part: Part | None = None
    progress: Progress | None = None


def verify(
    project: Project, what: Subjects, how: Looking, mended: Mended | None = None
) -> Verified:
    """Compare what is claimed with code, workspace and store."""
    store = project.store
    health = check(store, read_data=how.read_data, part=how.part, progress=how.progress)
    lost = mended.lost if mended is not None else frozenset[ObjectId]()
    needs = Needs(
        SoundPart(store, health),
        health.damaged_entries | lost,
        how.elsewhere or _nowhere,
    )
    claimed = {} if how.elsewhere is None else {c.path: c.content for c in what.claims}
    code = ProjectCode(DiskSources(project.root), _roots(project))
    rekeyed = _rekeying(project, code).rekeyed
    every = what.beside or what
    listings = Listings(
        project.root,
        lambda: (path for lock in every.locks.values() for path in lock.outs),
        lambda: every.tracked.paths,
    )
    examiner = Examiner(
        project.workspace, code.fingerprint, code.hashes, listings, needs, claimed, rekeyed
    )
    return Verified(_stages(what, examiner), _tracked(what, examiner), health, mended)


def _stages(what: Subjects, examiner: Examiner) -> tuple[Verdict, ...]:
    found = {
        name: Verdict(name, (*examiner.lock(lock), *_of(claims_of({name: lock}, {}), examiner)))
        for name, lock in what.locks.items()
    }
    for name, error in what.unreadable.items():
        found[name] = _unreadable(name, f".pivot/stages/{lock_path(name)}", error)
    return tuple(found[name] for name in sorted(found))


def _tracked(what: Subjects, examiner: Examiner) -> tuple[Verdict, ...]:
    found = {
        path: Verdict(path, tuple(_of(claims_of({}, {path: content}), examiner)))
        for path, content in what.tracked.contents.items()
    }
    for path, error in what.tracked.faults.items():
        found[path] = _unreadable(path, pvt_path(path), error)
    return tuple(found[path] for path in sorted(found))


def _unreadable(name: str, file: str, error: UnreadableLockError) -> Verdict:
    """The verdict on what isn't known because its lock or `.pvt` file can't be read."""
    return Verdict(name, (Finding(FindingKind.LOCK, file, text=str(error), hint=error.hint),))


def _of(claims: Iterator[Claim], examiner: Examiner) -> Iterator[Finding]:
    for claim in claims:
        yield from examiner.claim(claim)


@dataclass(frozen=True, slots=True)
class _PresentCode:
    """The sources of the workspace, for re-keying locks."""

    sources: ProjectCode

    def fingerprint(self, entry: str) -> Fingerprint | None:
        try:
            return self.sources.fingerprint(entry)
        except DefinitionError:
            return None

    def hashes(self, names: Collection[str]) -> Mapping[str, str | None]:
        return self.sources.hashes(names)

    def text(self, root: str, names: Collection[str]) -> str:
        return self.sources.text(root, names)


def rekeying(project: Project) -> Rekeying:
    """Re-keys locks without loading definitions."""
    return _rekeying(project, ProjectCode(DiskSources(project.root), _roots(project)))


def _rekeying(project: Project, code: ProjectCode) -> Rekeying:
    repository = project.repository
    search = None if repository is None else Search(project, repository, _roots(project))
    return Rekeying(project, _PresentCode(code), search.find if search else _nothing)


def _nothing(_: Lock) -> None:
    """Outside of a repository there are no commits to look for sources in."""


def _roots(project: Project) -> tuple[RepoPath, ...]:
    """The folders that modules are imported from: as they were last, or as they would be.

    What import hooks of editable installs add is known only where definitions were loaded once.
    """
    data = project.state.document(DOCUMENT)
    record = decode(data) if data is not None else None
    if record is not None:
        return record.roots
    relative = (os.path.relpath(entry, project.root) for entry in own_entries(ownership()))
    within = (RepoPath(path) for path in relative if not path.startswith(".."))
    return tuple(dict.fromkeys([RepoPath.ROOT, *within]))


def _nowhere(_: ObjectId) -> bool:
    return False
