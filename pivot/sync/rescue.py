"""Copying entries of a remote to fresh packs of it, before the packs that they are in go."""

from collections.abc import Collection, Iterable

from pivot.hashing import ObjectId
from pivot.store.entry import Kind
from pivot.sync.borrowing import Borrowed
from pivot.sync.plan import size_of
from pivot.transfer.progress import Progress
from pivot.transfer.push import push as send
from pivot.transfer.remote import RemoteStore

_ORDER = (Kind.DATA, Kind.RECIPE, Kind.TREE)


def rescue(
    borrowed: Borrowed,
    remote: RemoteStore,
    ids: Collection[ObjectId],
    *,
    jobs: int,
    progress: Progress | None = None,
) -> None:
    """Copy these entries, verified, from here where the store has them; an index names the copies.

    Raises `PackGoneError` where another collection took a pack since it was listed, and
    `IntegrityError` for bytes that are damaged: then no index names copies of those.
    """
    total = sum(size_of(remote.find(id_)) for id_ in ids)
    here = [id_ for id_ in ids if borrowed.store.has(id_)]
    borrowed.obtain(ids)
    there = frozenset(ids) - frozenset(here)
    for store, found in ((borrowed.store, here), (borrowed.staging, there)):
        if found:
            groups = _groups(remote, found)
            send(store, remote, groups, total, jobs=jobs, progress=progress)


def _groups(remote: RemoteStore, ids: Iterable[ObjectId]) -> list[list[ObjectId]]:
    """Entries in groups that refer to earlier ones only."""
    groups: dict[Kind, list[ObjectId]] = {kind: [] for kind in _ORDER}
    for id_ in sorted(ids):
        place = remote.find(id_)
        groups[Kind.DATA if place is None else place.kind].append(id_)
    return list(groups.values())
