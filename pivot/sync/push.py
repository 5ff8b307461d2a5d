"""Bringing a remote what roots need."""

import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.entry import FileName
from pivot.store.store import Store
from pivot.sync.plan import SyncPlan, plan_push
from pivot.sync.summary import Summary
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Progress, Transferred
from pivot.transfer.proofs import digest
from pivot.transfer.remote import RemoteStore


def push(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Summary:
    """Copy what `roots` need and `remote` lacks; a new place is made a store first.

    What the last push proved to be there isn't looked at again, while the proof holds. Raises
    `MissingDataError` before anything is sent, if something is neither here nor there.
    """
    started = time.monotonic()
    name = digest(roots.values())
    with on_disk(store.root):
        proof = remote.proof(name)
        remote.list_to_write(tombstones=proof is not None)
        if proof is not None and proof.holds(remote.listed, remote.doomed):
            moved = Transferred()
        else:
            remote.load()
            moved, plan, packs = _complete(store, remote, roots, jobs, progress)
            if moved.objects:
                remote.merge_indexes()
            proof = remote.remember(name, plan.total_objects, plan.total_bytes, packs)
        remote.publish(anew=moved.objects > 0)
    return Summary(
        objects=moved.objects,
        bytes=moved.bytes,
        total_objects=proof.objects,
        total_bytes=proof.size,
        requests=remote.requests,
        seconds=time.monotonic() - started,
    )


def foresee(store: Store, remote: RemoteStore, roots: Mapping[RepoPath, Content]) -> Summary:
    """What `push` would come to; nothing is sent, nor a store made. Raises as it does."""
    started = time.monotonic()
    with on_disk(store.root):
        remote.open_to_compare()
        plan = plan_push(store, remote, roots)
    return Summary(
        objects=plan.objects,
        bytes=plan.bytes,
        total_objects=plan.total_objects,
        total_bytes=plan.total_bytes,
        requests=plan.requests,
        seconds=time.monotonic() - started,
    )


def _complete(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    jobs: int,
    progress: Progress | None,
) -> tuple[Transferred, SyncPlan, AbstractSet[FileName]]:
    """Send until nothing is missing: what was sent, the last plan, and the packs that hold all.

    Tombstones are believed from memory before, and listed once all is sent: packs that were doomed
    meanwhile count as absent now, and success means that none was relied on.
    """
    # Event loops and packers, which a push with nothing to do need not import.
    from pivot.transfer.push import push as send  # noqa: PLC0415

    moved = Transferred()
    while True:
        plan = plan_push(store, remote, roots)
        known = frozenset(remote.packs)
        if plan.objects:
            moved += send(store, remote, plan.missing, plan.bytes, jobs=jobs, progress=progress)
        if not remote.refresh_tombstones():
            return moved, plan, plan.packs | (remote.packs.keys() - known)
