"""What a push would come to, without sending anything."""

import time
from collections.abc import Mapping

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.sync.plan import plan_push
from pivot.sync.summary import Summary
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.proofs import digest
from pivot.transfer.remote import RemoteStore


def foresee_push(
    store: Store, remote: RemoteStore, roots: Mapping[RepoPath, Content], *, jobs: int = JOBS
) -> Summary:
    """The summary that `push` would give, with about as many requests; raises as it does.

    Nothing is put there, nor a store made. A place that doesn't exist yet has nothing.
    """
    started = time.monotonic()
    with on_disk(store.root):
        proof = remote.proof(digest(roots.values()))
        founding = 0 if remote.list_to_compare(tombstones=proof is not None) else 1
        if proof is not None and proof.holds(remote.listed, remote.doomed):
            moved, total = (0, 0, remote.requests), (proof.objects, proof.size)
        else:
            remote.load()
            with store.in_use():
                plan = plan_push(store, remote, roots, jobs=jobs)
            moved = plan.objects, plan.bytes, plan.requests + founding
            total = plan.total_objects, plan.total_bytes
    return Summary(
        objects=moved[0],
        bytes=moved[1],
        total_objects=total[0],
        total_bytes=total[1],
        requests=moved[2],
        seconds=time.monotonic() - started,
    )
