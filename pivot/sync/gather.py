"""Bringing the store here what roots need, from as many remotes as it takes."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pivot.errors import MissingDataError, PivotError
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.contents import tree
from pivot.store.entry import Kind
from pivot.store.lookup import places
from pivot.store.recipe import Recipe
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.sync.closure import Closure
from pivot.sync.givers import Givers
from pivot.sync.plan import SyncPlan, size_of
from pivot.sync.reach import Reach
from pivot.sync.summary import Given, Summary
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Meter, Progress, Transferred
from pivot.transfer.sink import Sink


def gather(
    store: Store,
    givers: Givers,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Summary:
    """Copy what `roots` need and `store` lacks, every entry verified before it is kept.

    Where nothing is lacking no remote is asked. What can be had is fetched before an error is
    raised for the rest: `MissingDataError` for what nobody has, `IntegrityError` for what is
    damaged wherever it is, or why the only remote can't be asked. What was verified is kept
    whatever happens, an interrupt included.
    """
    started = time.monotonic()
    moved = Transferred()
    with on_disk(store.root), store.in_use(), Reach.make(store, givers, jobs) as reach:
        while True:
            wanted = _want(reach, roots)
            if wanted.plan.objects:
                meter = Meter(progress, moved.bytes + wanted.plan.bytes, moved)
                is_done = _bring(reach, wanted, meter)
                moved = meter.moved
                if not is_done:  # damaged, or gone: elsewhere, or the rest without it
                    continue
            break
        if moved.objects:
            with contextlib.suppress(OSError):  # the next one that adds something merges
                store.merge_indexes()
    if wanted.lost:
        raise givers.failure(wanted.lost_paths, wanted.lost)
    return _summary(wanted.plan, moved, givers.requests, givers.given, started)


def plan_gather(
    store: Store, givers: Givers, roots: Mapping[RepoPath, Content], *, jobs: int = JOBS
) -> Summary:
    """What `gather` would come to; trees and recipes are read from remotes, nothing is kept.

    Requests are those that it would take in all. Raises what `gather` would.
    """
    started = time.monotonic()
    with on_disk(store.root), Reach.make(store, givers, jobs) as reach:
        wanted = _want(reach, roots)
        plan = wanted.plan
        missing = [id_ for group in plan.missing for id_ in group]
        requests = givers.requests + reach.requests(missing)
    if wanted.lost:
        raise givers.failure(wanted.lost_paths, wanted.lost)
    sources = {
        asked.giver.name: Transferred(len(places), sum(map(size_of, places.values())))
        for asked, places in givers.sharing(missing)
    }
    return _summary(plan, Transferred(plan.objects, plan.bytes), requests, sources, started)


def gather_tree(store: Store, givers: Givers, content: Content) -> Iterator[TreeEntry]:
    """The entries of a directory that a remote has; none of it is kept.

    A tree in the store would promise that all that it names is there, too. Raises
    `MissingDataError` where neither side has the tree.
    """
    with on_disk(store.root), store.in_use(), Reach.make(store, givers, JOBS) as reach:
        lost = reach.obtain([content.recipe or content.id])
        if content.recipe is not None and not lost:
            recipe = Recipe.decode(reach.read(content.recipe, Kind.RECIPE))
            lost = reach.obtain(id_ for id_, _ in recipe.chunks)
        if lost:
            raise _no_tree(givers, content, lost)
        yield from tree(content, reach.read)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to bring for all roots that can be had whole, and what the others lack."""

    closure: Closure
    plan: SyncPlan
    lost: frozenset[ObjectId] = frozenset()
    lost_paths: frozenset[RepoPath] = frozenset()


def _want(reach: Reach, roots: Mapping[RepoPath, Content]) -> _Wanted:
    closure = reach.closure(roots)
    lost = reach.unknown(closure.leaves) | closure.absent.keys()
    if not lost:
        return _Wanted(closure, _plan(closure, reach))
    whole = {
        path: content for path, content in roots.items() if reach.is_whole(path, content, lost)
    }
    closure = reach.closure(whole)
    return _Wanted(closure, _plan(closure, reach), lost, frozenset(roots.keys() - whole.keys()))


def _plan(closure: Closure, reach: Reach) -> SyncPlan:
    here, staged = places(reach.store, closure), places(reach.staging, closure)
    place_of = reach.givers.place
    sizes = {id_: size_of(here.get(id_) or staged.get(id_) or place_of(id_)) for id_ in closure}
    missing = tuple(tuple(id_ for id_ in group if id_ not in here) for group in closure.groups)
    return SyncPlan(
        missing=missing,
        objects=sum(map(len, missing)),
        bytes=sum(sizes[id_] for group in missing for id_ in group),
        total_objects=len(sizes),
        total_bytes=sum(sizes.values()),
    )


def _bring(reach: Reach, wanted: _Wanted, meter: Meter) -> bool:
    """Fetch leaves into the store, then copy what is staged, in the order that it needs.

    Whether all leaves could be had; else nothing that names any was copied.
    """
    staging = reach.staging
    missing = [id_ for group in wanted.plan.missing for id_ in group]
    beside = places(staging, missing)
    staged = [id_ for id_ in missing if id_ in beside]
    leaves = [id_ for id_ in wanted.plan.missing[0] if id_ not in beside]
    with Sink(reach.store, meter) as sink:
        is_done = not leaves or reach.bring(sink, leaves)
    reach.store.refresh()
    if not is_done:
        return False
    with Sink(reach.store, meter) as sink:
        for id_ in staged:
            place = staging.find(id_)
            if place is not None:
                sink.add_entry(id_, staging.read(id_, place.kind), place.kind)
    return True


def _summary(
    plan: SyncPlan,
    moved: Transferred,
    requests: int,
    sources: Mapping[str, Transferred],
    started: float,
) -> Summary:
    return Summary(
        objects=moved.objects,
        bytes=moved.bytes,
        total_objects=plan.total_objects,
        total_bytes=plan.total_bytes,
        requests=requests,
        seconds=time.monotonic() - started,
        sources=tuple(Given(name, g.objects, g.bytes) for name, g in sources.items()),
    )


def _no_tree(givers: Givers, content: Content, lost: frozenset[ObjectId]) -> PivotError:
    error = givers.failure((), lost)
    if not isinstance(error, MissingDataError):
        return error
    return MissingDataError(
        f"directory {content.id.hex()[:12]} is neither in the cache nor in {givers.addresses}",
        why=error.why,
        hint="Run `pivot push` where it was made",
    )
