"""Sending until a remote lacks nothing of what roots need."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pivot.errors import PivotError
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.entry import FileName
from pivot.store.store import Store
from pivot.sync.closure import Closure
from pivot.sync.plan import plan_push
from pivot.transfer.progress import Progress, Transferred
from pivot.transfer.push import push as send
from pivot.transfer.remote import RemoteStore

# A collection names packs once in a grace, so the second round is the last one.
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Completed:
    """What was sent, how much the roots need in all, and the remote's packs that hold it."""

    moved: Transferred
    total_objects: int
    total_bytes: int
    packs: AbstractSet[FileName]


def complete(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    closure: Closure | None = None,
    *,
    jobs: int,
    progress: Progress | None,
) -> Completed:
    """Copy what `roots` need and `remote` lacks; its indexes are held.

    `closure` is what `local_closure` told of the roots, where that was asked already.

    Tombstones are believed from memory before, and listed once all is sent: packs that were doomed
    meanwhile count as absent now, and success means that none was relied on. Raises `PivotError`
    where that never ends.
    """
    moved = Transferred()
    for _ in range(ROUNDS):
        plan = plan_push(store, remote, roots, closure, jobs=jobs)
        known = frozenset(remote.packs)
        if plan.objects:
            moved += send(store, remote, plan.missing, plan.bytes, jobs=jobs, progress=progress)
        if not remote.refresh_tombstones():
            packs = plan.packs | (remote.packs.keys() - known)
            return Completed(moved, plan.total_objects, plan.total_bytes, packs)
        closure = None
        remote.refresh()  # a collection copies what is needed of doomed packs
    raise PivotError(
        f"{remote.address} is being collected faster than it is pushed to",
        why=f"its tombstones named packs that were just sent, {ROUNDS} times in a row",
        hint="Run `pivot push` again when no collection of the remote is under way",
    )
