"""Bringing a remote what roots need."""

import time
from collections.abc import Callable, Mapping

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.sync.plan import plan_push
from pivot.sync.summary import Summary
from pivot.transfer.faults import on_disk
from pivot.transfer.lanes import JOBS
from pivot.transfer.progress import Progress, Transferred
from pivot.transfer.push import push as send
from pivot.transfer.remote import RemoteStore


def push(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
    note: Callable[[], None] | None = None,
) -> Summary:
    """Copy what `roots` need and `remote` lacks; a new place is made a store first.

    `note` is called once a store is there, before anything is relied on: with
    `Projects.note` it lets a collection know whom to ask.

    Raises `MissingDataError` before anything is sent, if something is neither here nor there.
    """
    started = time.monotonic()
    with on_disk(store.root):
        remote.open_to_write()
        if note is not None:
            note()
        plan = first = plan_push(store, remote, roots)
        moved = Transferred()
        while True:
            if plan.objects:
                moved += send(store, remote, plan.missing, plan.bytes, jobs=jobs, progress=progress)
            # Tombstones are believed from memory before, and listed once all is sent: packs that
            # were doomed meanwhile count as absent now, and success means that none was relied on.
            if not remote.refresh_tombstones():
                break
            remote.refresh()
            plan = plan_push(store, remote, roots)
    return Summary(
        objects=moved.objects,
        bytes=moved.bytes,
        total_objects=first.total_objects,
        total_bytes=first.total_bytes,
        requests=remote.requests,
        seconds=time.monotonic() - started,
    )
