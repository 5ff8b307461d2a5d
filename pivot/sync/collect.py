"""Garbage collection of a remote: what contents need stays, all else goes after a grace.

It knows contents and no locks: whoever calls it says what is needed. Nothing is ever locked there;
others push, pull, merge indexes and collect meanwhile. `docs/design.md` says why that is safe.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from pivot.errors import IntegrityError, PivotError, UsageError
from pivot.hashing import ObjectId
from pivot.store.content import Content
from pivot.store.entry import Kind
from pivot.store.store import Store
from pivot.sync.borrowing import Borrowed
from pivot.sync.needs import find_needs
from pivot.sync.rescue import rescue
from pivot.sync.sweeping import GRACE, SweepPlan, plan_sweep, refuse_lost, without_copies
from pivot.transfer.faults import PackGoneError, on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Progress
from pivot.transfer.remote import RemoteStore

# Another collection may take packs while this one looks at them.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Collecting:
    """A remote that is collected, and how: `grace` in seconds, `jobs` transfers at once.

    `clock` is this machine's; the storage's own counts where it tells times.
    """

    store: Store
    remote: RemoteStore
    grace: float = GRACE
    jobs: int = JOBS
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Swept:
    """What a collection did, or would do.

    Attributes:
        plan: all of it.
        absent: contents that the remote doesn't have, or not whole.
        unfinished: why what needs copies was left undone.
    """

    plan: SweepPlan
    absent: frozenset[Content]
    unfinished: PivotError | None = None


def ask_time(collecting: Collecting) -> float:
    """The time by the storage's clock, to be asked for before it is found out what is needed.

    A commit that names data within the grace must not come between: the data would be due by the
    time that is asked afterwards, and the commit not seen. Raises `UsageError` where no store is.
    """
    with on_disk(collecting.store.root):
        collecting.remote.open()
        now = collecting.remote.sweeping().now()
    return collecting.clock() if now is None else now


def preview(collecting: Collecting, contents: Collection[Content], now: float) -> Swept:
    """What `collect` would do; nothing is written there. `now` may be by this machine's clock.

    Raises `IntegrityError` where damage keeps us from telling what is needed.
    """

    def look() -> Swept:
        with _opened(collecting) as borrowed:
            return _decide(collecting, borrowed, contents, now)

    return _repeated(look)


def collect(
    collecting: Collecting,
    contents: Collection[Content],
    now: float,
    progress: Progress | None = None,
) -> Swept:
    """Put a tombstone for what nothing needs, and delete what had one for longer than the grace.

    `now` is what `ask_time` told before it was found out that `contents` are needed. `progress` is
    told of bytes that are copied to fresh packs. Raises as `preview` does, before anything is
    changed.
    """

    def sweep() -> Swept:
        with _opened(collecting) as borrowed:
            swept = _decide(collecting, borrowed, contents, now)
            return _carry_out(collecting, borrowed, swept, progress)

    return _repeated(sweep)


@contextlib.contextmanager
def _opened(collecting: Collecting) -> Iterator[Borrowed]:
    store, remote = collecting.store, collecting.remote
    with on_disk(store.root), store.in_use():
        remote.open()
        with Borrowed.beside(store, remote, collecting.jobs) as borrowed:
            yield borrowed


def _repeated(action: Callable[[], Swept]) -> Swept:
    """Begin anew where another collection deletes a pack that this one reads."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(PackGoneError):
            return action()
    return action()


def _decide(
    collecting: Collecting, borrowed: Borrowed, contents: Collection[Content], now: float
) -> Swept:
    remote = collecting.remote
    stock = remote.sweeping().look()
    if stock.is_cache:
        raise _is_cache(remote.address)

    def has(id_: ObjectId, kind: Kind) -> bool:
        place = remote.find(id_)
        return place is not None and place.kind is kind

    needs = find_needs(contents, has, borrowed.read, borrowed.obtain)
    return Swept(plan_sweep(stock, needs.ids, now=now, grace=collecting.grace), needs.absent)


def _carry_out(
    collecting: Collecting, borrowed: Borrowed, swept: Swept, progress: Progress | None
) -> Swept:
    remote = collecting.remote
    sweeping = remote.sweeping()
    if swept.plan.rescue:
        try:
            rescue(borrowed, remote, swept.plan.rescue, jobs=collecting.jobs, progress=progress)
            refuse_lost(sweeping.look(), swept.plan, remote.address)
        except PackGoneError:
            raise
        except IntegrityError as error:
            swept = Swept(without_copies(swept.plan), swept.absent, error)
    plan = swept.plan
    if plan.doom:
        sweeping.doom(plan.doom, collecting.clock())
    if plan.delete:
        # From the second tombstone on, rows of these packs are hidden: whoever merged indexes
        # meanwhile brings some back.
        sweeping.forget_packs(plan.delete)
        sweeping.doom(plan.delete, collecting.clock(), deleted=True)
        sweeping.delete_packs(pack for pack in plan.delete if pack in plan.sizes)
    sweeping.delete(plan.spent)
    if not plan.is_empty:
        remote.refresh_tombstones()
        remote.publish(anew=True)
    return swept


def _is_cache(address: str) -> UsageError:
    return UsageError(
        f"{address} is used as a cache, too",
        why="who uses it as one relies on what is there without looking at tombstones",
        hint="Push to a folder that is nobody's `cache.dir`",
    )
