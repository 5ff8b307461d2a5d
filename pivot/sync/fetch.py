"""Bringing the store here what roots need.

Trees and recipes are fetched first, level by level, into a staging store: only they tell what else
is needed, and in the store itself nothing may appear before what it refers to.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from pivot.errors import MissingDataError, PivotError
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.contents import tree
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.store.writer import Writer
from pivot.sync.closure import Closure, walk
from pivot.sync.plan import SyncPlan, absent_error, measure, size_of
from pivot.sync.summary import Summary
from pivot.transfer.faults import PackGoneError, on_disk
from pivot.transfer.fetch import Source, Spool
from pivot.transfer.fetch import fetch as receive
from pivot.transfer.lanes import JOBS
from pivot.transfer.progress import Meter, Progress
from pivot.transfer.remote import RemoteStore


def fetch(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Summary:
    """Copy what `roots` need and `store` lacks, every entry verified before it is kept.

    What can be had is fetched before `MissingDataError` is raised for the rest. Raises
    `IntegrityError` for damaged bytes: none of them is kept, what was verified before is.
    """
    started = time.monotonic()
    with on_disk(store.root), store.in_use():
        remote.open()
        try:
            plan = _fetch_listed(store, remote, roots, jobs, progress)
        except PackGoneError:  # collected since its index was listed, or lost
            remote.refresh()
            remote.refresh_tombstones()  # they hide rows of deleted packs that came back
            plan = _fetch_listed(store, remote, roots, jobs, progress)
    return Summary(
        objects=plan.objects,
        bytes=plan.bytes,
        total_objects=plan.total_objects,
        total_bytes=plan.total_bytes,
        requests=remote.requests,
        seconds=time.monotonic() - started,
    )


def plan_fetch(store: Store, remote: RemoteStore, roots: Mapping[RepoPath, Content]) -> SyncPlan:
    """What `fetch` would move; trees and recipes are read from the remote, nothing is kept.

    Raises `MissingDataError`, naming paths, for what neither side has.
    """
    with on_disk(store.root), _Reach.make(store, remote, JOBS) as reach:
        remote.open()
        plan, lost = _plan(reach, roots)
    if lost:
        raise absent_error(lost, remote.address)
    return plan


def fetch_tree(store: Store, remote: RemoteStore, content: Content) -> Iterator[TreeEntry]:
    """The entries of a directory that `remote` has; none of it is kept.

    A tree in the store would promise that all that it names is there, too. Raises
    `MissingDataError` where neither side has the tree.
    """
    with on_disk(store.root), store.in_use(), _Reach.make(store, remote, JOBS) as reach:
        remote.open()
        lost = reach.obtain([content.recipe or content.id])
        if content.recipe is not None and not lost:
            recipe = Recipe.decode(reach.read(content.recipe, Kind.RECIPE))
            lost = reach.obtain(id_ for id_, _ in recipe.chunks)
        if lost:
            name = content.id.hex()[:12]
            raise MissingDataError(
                f"directory {name} is neither in the cache nor in {remote.address}",
                why="it was not pushed from where it was made, or was collected",
                hint="Run `pivot push` where it was made",
            )
        yield from tree(content, reach.read)


def _fetch_listed(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    jobs: int,
    progress: Progress | None,
) -> SyncPlan:
    with _Reach.make(store, remote, jobs) as reach:
        plan, lost = _plan(reach, roots)
        if plan.objects:
            _bring(reach, plan, progress)
    if lost:
        raise absent_error(lost, remote.address)
    return plan


def _plan(
    reach: "_Reach", roots: Mapping[RepoPath, Content]
) -> tuple[SyncPlan, frozenset[RepoPath]]:
    """What to bring for all roots that can be had whole, and the others' paths."""
    closure = walk(roots, reach.read, reach.obtain)
    lost = reach.unknown(closure.leaves) | closure.absent.keys()
    if not lost:
        return _plan_whole(closure, reach), frozenset()
    whole = {
        path: content for path, content in roots.items() if reach.is_whole(path, content, lost)
    }
    closure = walk(whole, reach.read, reach.obtain)
    return _plan_whole(closure, reach), frozenset(roots.keys() - whole.keys())


def _plan_whole(closure: Closure, reach: "_Reach") -> SyncPlan:
    store, remote = reach.store, reach.remote
    missing = tuple(tuple(id_ for id_ in group if not store.has(id_)) for group in closure.groups)
    total_objects, total_bytes = measure(closure, store, remote)
    return SyncPlan(
        missing=missing,
        objects=sum(map(len, missing)),
        bytes=sum(
            size_of(store.find(id_) or remote.find(id_)) for group in missing for id_ in group
        ),
        total_objects=total_objects,
        total_bytes=total_bytes,
    )


def _bring(reach: "_Reach", plan: SyncPlan, progress: Progress | None) -> None:
    """Fetch leaves into the store, then copy what is staged, in the order that it needs."""
    meter = Meter(progress, plan.bytes)
    staging = reach.staging
    leaves = [id_ for id_ in plan.missing[0] if not staging.has(id_)]
    with _kept(reach.store) as writer:
        if leaves:
            receive(reach.source, writer, leaves, meter, share_known=True)
        for id_ in (id_ for group in plan.missing for id_ in group):
            place = staging.find(id_)
            if place is not None:
                writer.add_bytes(staging.read(id_, place.kind), place.kind)
                meter.add(1, place.size)


@contextlib.contextmanager
def _kept(store: Store) -> Iterator[Writer]:
    """A writer that keeps what was added before a failure that leaves the store sound."""
    failure: PivotError | KeyboardInterrupt | None = None
    with store.writer() as writer:
        try:
            yield writer
        except (PivotError, KeyboardInterrupt) as error:
            failure = error
    if failure is not None:
        raise failure


@dataclass(frozen=True, slots=True)
class _Reach:
    """What can be read here and there, with a staging store for what tells the rest."""

    store: Store
    staging: Store
    source: Source

    @classmethod
    @contextlib.contextmanager
    def make(cls, store: Store, remote: RemoteStore, jobs: int) -> Iterator[Self]:
        """Stage below the store's `tmp/`; all of it is removed at the end."""
        within = os.path.join(store.root, "tmp")
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=within) as folder:
            staging = Store.open(os.path.join(folder, "staging"))
            yield cls(store, staging, Source(remote, Spool(folder), jobs))

    @property
    def remote(self) -> RemoteStore:
        return self.source.remote

    def read(self, id_: ObjectId, kind: Kind) -> bytes:
        """An entry, from wherever it is here."""
        place = self.staging if self.staging.has(id_) else self.store
        return place.read(id_, kind)

    def obtain(self, ids: Iterable[ObjectId]) -> frozenset[ObjectId]:
        """Bring here what isn't; returns what neither side has."""
        needed = [id_ for id_ in ids if not self.store.has(id_) and not self.staging.has(id_)]
        lost = self.unknown(needed)
        found = [id_ for id_ in needed if id_ not in lost]
        if found:
            with self.staging.writer() as writer:
                receive(self.source, writer, found, Meter(None, 0), share_known=False)
        return lost

    def unknown(self, ids: Iterable[ObjectId]) -> frozenset[ObjectId]:
        """Those of `ids` that neither side has."""
        return frozenset(
            id_ for id_ in ids if not self.store.has(id_) and self.remote.find(id_) is None
        )

    def is_whole(self, path: RepoPath, content: Content, lost: frozenset[ObjectId]) -> bool:
        """Whether a root needs nothing of what is lost."""
        closure = walk({path: content}, self.read, self.obtain)
        return not closure.absent and lost.isdisjoint(closure)
