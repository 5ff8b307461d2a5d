"""Garbage collection of a store: what contents need stays, all else can go.

It knows contents and no locks: whoever calls it says what is needed. The store must be held alone
for as long as what it returns is used: nothing may be added, or relied on, meanwhile.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pivot.gc.plan import GcPlan, make_plan
from pivot.gc.reach import Reach
from pivot.gc.sweep import Progress, Swept, sweep
from pivot.store.audit import Audit
from pivot.store.check import packs_in
from pivot.store.content import Content
from pivot.store.entry import FileName
from pivot.store.index import Index
from pivot.store.indexing import index_of
from pivot.store.store import Store


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection that was planned; `absent` are the contents that the store doesn't have."""

    plan: GcPlan
    absent: frozenset[Content]
    store: Store
    reach: Reach

    def sweep(self, progress: Progress | None = None) -> Swept:
        """Carry it out; `progress` is told bytes written anew, and all of them."""
        return sweep(self.store, self.reach.indexes, self.reach.marks, self.plan, progress)


def plan_collection(store: Store, contents: Iterable[Content]) -> Collection:
    """Find what `contents` need, and what could go; nothing is changed.

    Raises `IntegrityError` where damage keeps us from telling what is needed.
    """
    there = packs_in(store.root)
    indexed = {pack for index in store.indexes for pack, _ in index.packs}
    extra = tuple(_unindexed(store, [pack for pack in there if pack not in indexed]))
    reach = Reach(store, (*store.indexes, *extra))
    absent = frozenset(content for content in contents if not reach.mark(content))
    known = {pack for index in reach.indexes for pack, _ in index.packs}
    sizes = {pack: size for pack, size in there.items() if pack in known}
    return Collection(make_plan(reach.indexes, reach.marks, sizes), absent, store, reach)


def _unindexed(store: Store, packs: Iterable[FileName]) -> Iterator[Index]:
    """Indexes over packs that none names: a session died, or an index was lost.

    What is needed of them comes back. Damaged ones are left to a repair.
    """
    for name in packs:
        audit = Audit.of(store.root, name)
        if audit.fault is None:
            index, data = index_of([audit.info])
            yield Index(memoryview(data), index)
