"""What a push would send, decided before anything moves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pivot.errors import MissingDataError
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.entry import FileName, Place
from pivot.store.lookup import places
from pivot.store.store import Store
from pivot.sync.closure import Closure, walk
from pivot.transfer.costs import push_requests
from pivot.transfer.jobs import JOBS
from pivot.transfer.remote import RemoteStore

NAMED = 5


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The entries that a transfer would move.

    Attributes:
        missing: entries to move, in groups that refer to earlier ones only.
        objects: how many they are, of `total_objects` that the roots need.
        bytes: their size before compression, of `total_bytes`.
        requests: about how many the whole transfer takes, listings included.
        packs: of the remote, that hold what isn't moved; empty for what is fetched.
    """

    missing: tuple[tuple[ObjectId, ...], ...]
    objects: int
    bytes: int
    total_objects: int
    total_bytes: int
    requests: int = 0
    packs: AbstractSet[FileName] = frozenset()


def plan_push(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    closure: Closure | None = None,
    *,
    jobs: int = JOBS,
) -> SyncPlan:
    """Compare what `roots` need with what the remote has; it was listed before.

    `closure` is what `local_closure` told of the roots, where that was asked already.

    What only the remote has is fine, if it will stay there. Raises `MissingDataError`, naming
    paths, for what neither has; `IntegrityError` for a damaged tree or recipe.
    """
    if closure is None:
        closure = local_closure(store, roots)
    closure = _completed(closure, store, remote, roots, jobs)
    ids = (*closure, *closure.absent)
    there, here = remote.held(ids), places(store, ids)
    groups = [[id_ for id_ in group if id_ not in there.ids] for group in closure.groups]
    lost = dict(closure.absent)
    for group, missing in zip(closure.groups, groups, strict=True):
        lost |= {id_: group[id_] for id_ in missing if id_ not in here}
    if lost:
        if all(remote.find(id_) is not None for id_ in lost):
            raise _doomed_error(lost.values(), remote.address)
        raise absent_error(lost.values(), remote.address)
    moved = [here[id_] for group in groups for id_ in group]
    return SyncPlan(
        missing=tuple(tuple(group) for group in groups),
        objects=len(moved),
        bytes=sum(place.size for place in moved),
        total_objects=len(ids),
        total_bytes=sum(size_of(here.get(id_) or remote.find(id_)) for id_ in ids),
        requests=remote.requests
        + push_requests(
            len(moved),
            sum(place.size for place in moved),
            stored_size(moved),
            part_size=remote.part_size,
            jobs=jobs,
        ),
        packs=there.packs,
    )


def local_closure(store: Store, roots: Mapping[RepoPath, Content]) -> Closure:
    """What roots need, as far as trees and recipes are here. Raises `IntegrityError`."""
    return walk(roots, store.read, lambda ids: _absent(store, ids))


def _completed(
    closure: Closure,
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    jobs: int,
) -> Closure:
    """What roots need, where trees and recipes that aren't here are read from the remote.

    That they are there says nothing of what they name: a collection may have doomed that.
    """
    if not any(remote.find(id_) is not None for id_ in closure.absent):
        return closure
    # What fetches, which a push of what is all here need not import.
    from pivot.sync.borrowing import Borrowed  # noqa: PLC0415

    with Borrowed.beside(store, remote, jobs) as borrowed:
        return walk(roots, borrowed.read, borrowed.obtain_known)


def _absent(store: Store, ids: Collection[ObjectId]) -> list[ObjectId]:
    here = places(store, ids)
    return [id_ for id_ in ids if id_ not in here]


def stored_size(places: Iterable[Place]) -> int:
    """About how many bytes entries take as they are stored, each its share of its block."""
    shares = (place.size / max(1, place.block.raw) * place.block.stored for place in places)
    return round(sum(shares))


def size_of(place: Place | None) -> int:
    """The uncompressed bytes of an entry; 0 for one that nobody has."""
    return 0 if place is None else place.size


def absent_error(lost: Iterable[RepoPath], address: str) -> MissingDataError:
    """The error for paths whose data is neither here nor there."""
    paths = sorted(set(lost))
    return MissingDataError(
        f"the data of {_named(paths)} is neither in the cache nor in {address}",
        why="it was not pushed from where it was made, or was collected",
        hint="Run `pivot push` where it was made; what a stage made, `pivot repro` makes again",
    )


def _doomed_error(lost: Iterable[RepoPath], address: str) -> MissingDataError:
    return MissingDataError(
        f"the data of {_named(sorted(set(lost)))} isn't in the cache and will be deleted"
        f" from {address}",
        why="a garbage collection found that nothing needed it; it can still be fetched",
        hint="Run `pivot fetch`, then `pivot push` again",
    )


def _named(paths: Sequence[RepoPath]) -> str:
    shown = paths[:NAMED]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
