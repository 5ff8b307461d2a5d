"""What a collection of a remote does, decided from its listings before anything is touched. Pure.

Phase one names packs that nothing needs in a tombstone: from then on a push counts them as absent.
Phase two, once a tombstone is older than the grace, deletes its packs. What is needed and only in
packs that are to go is copied to fresh ones first; a doomed pack is never taken back.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName
from pivot.store.index import Index
from pivot.store.pack import PACK_OVERHEAD, block_size
from pivot.transfer.sweeping import Grave, Stock

DAY: Final = 86_400.0
# How long whatever is under way may take, and what is pushed may wait for its commit.
GRACE: Final = 14 * DAY
# Where a storage tells no times: how far the clocks of those who collect may be apart.
SKEW: Final = DAY
# A pack of which less than this is needed is doomed, and what is needed of it copied.
WORTH_KEEPING: Final = 0.5


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What becomes of a remote's packs and tombstones.

    Attributes:
        doom: packs that a new tombstone is to name: nothing of them is needed, or too little.
        partly: those of them of which something is needed, which is among `rescue`.
        nameless: those of them that no index names, since a push was interrupted.
        rescue: entries that are copied to fresh packs first.
        delete: packs that are deleted, since their tombstone is older than the grace; and deleted
            ones of which rows, or they themselves, came back.
        spent: keys of tombstones of deleted packs that nothing can bring back any more.
        waiting: doomed packs whose grace isn't over yet.
        next_end: when the first of them ends, by the storage's clock.
        sizes: the size in bytes of every pack that is there.
        kept_entries, kept_bytes: what is needed and there, with its stored bytes.
        rescued_bytes: stored bytes of what is copied.
    """

    doom: tuple[FileName, ...]
    partly: tuple[FileName, ...]
    nameless: tuple[FileName, ...]
    rescue: tuple[ObjectId, ...]
    delete: tuple[FileName, ...]
    spent: tuple[str, ...]
    waiting: tuple[FileName, ...]
    next_end: float | None
    sizes: Mapping[FileName, int]
    kept_entries: int
    kept_bytes: int
    rescued_bytes: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.doom or self.delete or self.spent)


def without_copies(plan: SweepPlan) -> SweepPlan:
    """What may be done of a plan where what is needed couldn't be copied."""
    doom = tuple(pack for pack in plan.doom if pack not in plan.partly)
    return replace(plan, doom=doom, partly=(), rescue=(), delete=(), rescued_bytes=0)


def refuse_lost(stock: Stock, plan: SweepPlan, address: str) -> None:
    """Raise `IntegrityError` unless all that was to be copied has a place that stays."""
    gone = frozenset(plan.doom).union(plan.delete, *(g.stone.packs for g in stock.graves))
    stays = {pack for pack in stock.packs if pack not in gone}
    wanted = frozenset(plan.rescue)
    safe = {id_ for rows in _places(stock.indexes, wanted, stays).values() for id_ in rows}
    for id_ in wanted - safe:
        raise IntegrityError(
            f"object {id_.hex()[:12]} wasn't copied in {address}",
            why="another collection or a deletion came between",
            hint="Run it again",
        )


@dataclass(frozen=True, slots=True)
class _Graves:
    """Tombstones by what is to become of them; `doomed` are the packs of all of them."""

    doomed: frozenset[FileName]
    expired: tuple[Grave, ...]
    deleted: tuple[Grave, ...]
    waiting: tuple[Grave, ...]
    next_end: float | None


def plan_sweep(
    stock: Stock, needed: Collection[ObjectId], *, now: float, grace: float = GRACE
) -> SweepPlan:
    """Decide by what is `needed`; `now` is by the storage's clock, `grace` in seconds."""
    graves = _sort(stock.graves, now, grace)
    live = _live(stock, graves.doomed)
    places = _places(stock.indexes, needed, live)
    kept = _choose(places)
    named = {pack: size for index in stock.indexes for pack, size in index.packs}
    minor = {
        pack
        for pack, rows in kept.items()
        if PACK_OVERHEAD + sum(rows.values()) < live[pack] * WORTH_KEEPING
    }
    needless = {pack for pack in live if pack in named and pack not in kept}
    nameless = {p for p in live if p not in named and _is_over(stock.packs[p].put, now, grace)}
    back = tuple(g for g in graves.deleted if _is_back(g, stock, named))
    buried = tuple(g for g in graves.deleted if g not in back)
    delete = (_packs(graves.expired) - _packs(buried)) | _packs(back)
    rescue = {id_: size for pack in minor for id_, size in kept[pack].items()}
    rescue |= _only_in(stock, needed, delete, kept)
    return SweepPlan(
        doom=tuple(sorted(needless | minor | nameless)),
        partly=tuple(sorted(minor)),
        nameless=tuple(sorted(nameless)),
        rescue=tuple(sorted(rescue)),
        delete=tuple(sorted(delete)),
        spent=_spent(buried, graves.expired, now, grace),
        waiting=tuple(sorted(_packs(graves.waiting) & stock.packs.keys() - delete)),
        next_end=graves.next_end,
        sizes={pack: stored.size for pack, stored in stock.packs.items()},
        kept_entries=sum(map(len, kept.values())),
        kept_bytes=sum(sum(rows.values()) for rows in kept.values()),
        rescued_bytes=sum(rescue.values()),
    )


def _sort(graves: Iterable[Grave], now: float, grace: float) -> _Graves:
    all_ = tuple(graves)
    deleted = tuple(g for g in all_ if g.stone.deleted)
    expired = tuple(g for g in all_ if not g.stone.deleted and _is_due(g, now, grace))
    waiting = tuple(g for g in all_ if not g.stone.deleted and g not in expired)
    ends = [end for g in waiting if (end := _end(g, grace)) is not None]
    doomed = _packs(all_)
    return _Graves(doomed, expired, deleted, waiting, min(ends, default=None))


def _end(grave: Grave, grace: float) -> float | None:
    """When a tombstone's grace is over; None for one that says nothing of its time."""
    if grave.put is not None:
        return grave.put + grace
    return None if grave.stone.created is None else grave.stone.created + grace + SKEW


def _is_due(grave: Grave, now: float, grace: float) -> bool:
    end = _end(grave, grace)
    return end is not None and now >= end


def _is_over(put: float | None, now: float, grace: float) -> bool:
    return put is not None and now >= put + grace


def _packs(graves: Iterable[Grave]) -> frozenset[FileName]:
    return frozenset[FileName]().union(*(grave.stone.packs for grave in graves))


def _spent(
    buried: Iterable[Grave], expired: Iterable[Grave], now: float, grace: float
) -> tuple[str, ...]:
    """Tombstones of deleted packs whose grace is over too, with those that foretold it.

    Until then both stay: a listing that isn't taken at one moment could show neither the old one,
    removed by then, nor the new one, put since.
    """
    over = tuple(grave for grave in buried if _is_due(grave, now, grace))
    packs = _packs(over)
    foretold = tuple(grave for grave in expired if grave.stone.packs <= packs)
    return tuple(grave.key for grave in (*over, *foretold))


def _is_back(grave: Grave, stock: Stock, named: Collection[FileName]) -> bool:
    """Whether deleted packs are there again, or rows of theirs; superseded indexes may have some.

    Rows were merged, or a put repeated, by someone who had begun before they were deleted. Whoever
    saw them now may do so again, so the grace begins anew.
    """
    packs = grave.stone.packs
    return bool(stock.superseded) or any(p in named or p in stock.packs for p in packs)


def _live(stock: Stock, doomed: frozenset[FileName]) -> dict[FileName, int]:
    """The packs that may be relied on, and their sizes: not doomed, and as indexes say.

    One of another size than an index says is damaged: it isn't relied on, and stays.
    """
    sizes = {pack: stored.size for pack, stored in stock.packs.items() if pack not in doomed}
    for index in stock.indexes:
        for pack, size in index.packs:
            if sizes.get(pack, size) != size:
                del sizes[pack]
    return sizes


type _Rows = dict[FileName, dict[ObjectId, int]]


def _places(
    indexes: Sequence[Index], needed: Collection[ObjectId], packs: Collection[FileName]
) -> _Rows:
    """By pack, those of `needed` that it holds, each with the bytes that it takes there."""
    found: _Rows = {}
    for index in indexes:
        for pack, id_, size in _rows(index, needed, packs):
            found.setdefault(pack, {})[id_] = size
    return found


def _rows(
    index: Index, needed: Collection[ObjectId], packs: Collection[FileName]
) -> Iterator[tuple[FileName, ObjectId, int]]:
    blocks = list(index.raw_blocks())
    inside = [index.packs[pack][0] in packs for pack, *_ in blocks]
    for row, (id_, place) in enumerate(zip(index.raw_ids(), index.raw_places(), strict=True)):
        block, _, size, _ = place
        if inside[block] and id_ in needed:
            pack, _, stored, raw, _ = blocks[block]
            share = block_size(stored * size // raw if raw else 0, 1)
            yield index.packs[pack][0], index.id_at(row), share


def _choose(places: _Rows) -> _Rows:
    """The same with each id in one pack only: the one of which most is needed."""
    weight = {pack: (sum(rows.values()), pack) for pack, rows in places.items()}
    best: dict[ObjectId, FileName] = {}
    for pack, rows in places.items():
        for id_ in rows:
            if id_ not in best or weight[pack] > weight[best[id_]]:
                best[id_] = pack
    chosen: _Rows = {}
    for id_, pack in best.items():
        chosen.setdefault(pack, {})[id_] = places[pack][id_]
    return chosen


def _only_in(
    stock: Stock, needed: Collection[ObjectId], delete: Collection[FileName], kept: _Rows
) -> dict[ObjectId, int]:
    """What is needed of packs that are deleted now, and in none that stays."""
    there = {pack for pack in delete if pack in stock.packs}
    safe = {id_ for rows in kept.values() for id_ in rows}
    places = _places(stock.indexes, needed, there)
    return {i: size for rows in places.values() for i, size in rows.items() if i not in safe}
