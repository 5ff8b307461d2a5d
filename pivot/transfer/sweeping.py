"""What only a collection does to a remote: looking at all of it, tombstones, taking packs out.

Each verb is one step that may be the last: whoever dies after any of them leaves a remote in
which everything that could be read can be read, and something too much.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pivot.store.entry import FileName
from pivot.store.gate import IN_USE
from pivot.store.index import Index, index_key
from pivot.store.merge import merge
from pivot.store.pack import pack_key
from pivot.transfer.doomed import Doomed
from pivot.transfer.faults import translated
from pivot.transfer.indexes import Indexes
from pivot.transfer.listing import list_indexes, settle
from pivot.transfer.tombstones import FOLDER, Tombstone
from pivot_remotes.backend import Backend

PACKS: Final = "packs"
_TEMPORARY: Final = "tmp"
_CLOCK: Final = "tmp/clock"
_CLOCK_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Grave:
    """A tombstone as it lies there.

    Attributes:
        put: when, in seconds since 1970 by the storage's clock; None where it doesn't tell.
    """

    key: str
    stone: Tombstone
    put: float | None


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack that is there: its size in bytes, and when it was put by the storage's clock."""

    size: int
    put: float | None


@dataclass(frozen=True, slots=True)
class Stock:
    """All that a remote holds, as its listings tell.

    Attributes:
        packs: those that are there, whether an index names them or not.
        graves: its tombstones.
        indexes: those in force.
        superseded: listed indexes that another listed one replaces.
        is_cache: whether projects use it as their cache, too, which has no grace.
    """

    packs: Mapping[FileName, StoredPack]
    graves: tuple[Grave, ...]
    indexes: tuple[Index, ...]
    superseded: frozenset[FileName] = frozenset()
    is_cache: bool = False


class Sweeping:
    """The verbs, over one remote and what is known of its indexes."""

    def __init__(self, backend: Backend, indexes: Indexes, doomed: Doomed) -> None:
        self._backend = backend
        self._indexes = indexes
        self._doomed = doomed

    # -- looking --------------------------------------------------------------------------

    def look(self) -> Stock:
        """List everything. Raises `IntegrityError` for an index or tombstone that is damaged.

        Packs come first: one that is put, and indexed, meanwhile is then not seen as nameless.
        """
        with translated(self._backend.address):
            packs = self._packs()
            graves = self._graves()
            superseded = self._refresh()
            is_cache = any(info.key == IN_USE for info in self._backend.list(_TEMPORARY))
        self._doomed.miss(self._indexes.sizes.keys() - packs.keys())
        return Stock(packs, graves, self._indexes.in_force, superseded, is_cache)

    def now(self) -> float | None:
        """The time by the storage's clock, in seconds since 1970; None where it tells none.

        It is that of an object which is put for this, and removed.
        """
        with translated(self._backend.address):
            for _ in range(_CLOCK_READINGS):
                self._backend.put(_CLOCK, b"")
                found = [i.modified for i in self._backend.list(_TEMPORARY) if i.key == _CLOCK]
                if found:  # else another collection removed it
                    self._backend.delete(_CLOCK)
                    return found[0]
        return None

    def _packs(self) -> dict[FileName, StoredPack]:
        found = {}
        for info in self._backend.list(PACKS):
            name = FileName.parse(os.path.basename(info.key).removesuffix(".pack"))
            if name is not None and info.key == pack_key(name):
                found[name] = StoredPack(info.size, info.modified)
        return found

    def _graves(self) -> tuple[Grave, ...]:
        listed = settle(self._doomed.take_over, self._dated(), self._dated)
        stones = self._doomed.stones.items()
        return tuple(Grave(key, stone, listed[key]) for key, stone in stones)

    def _dated(self) -> dict[str, float | None]:
        return {info.key: info.modified for info in self._backend.list(FOLDER)}

    def _refresh(self) -> frozenset[FileName]:
        """List the indexes anew; returns those that others replace."""
        settle(
            self._indexes.take_over,
            list_indexes(self._backend),
            lambda: list_indexes(self._backend),
        )
        return self._indexes.superseded

    # -- changing -------------------------------------------------------------------------

    def doom(self, packs: Collection[FileName], created: float, *, deleted: bool = False) -> None:
        """Put a tombstone for these packs: they will be deleted, or (`deleted`) were."""
        stone = Tombstone(frozenset(packs), created, deleted)
        with translated(self._backend.address):
            self._backend.put(f"{FOLDER}/{FileName.fresh()}.json", stone.encode())

    def forget_packs(self, gone: Collection[FileName]) -> None:
        """Take the rows of these packs out of all listed indexes.

        Superseded indexes go first: the one that replaces them may be rewritten, and they would
        count again. Then each index that names one of the packs is replaced by one without them.
        """
        with translated(self._backend.address):
            superseded = self._refresh()
            self._backend.delete_all(map(index_key, sorted(superseded)))
            naming = [i for i in self._indexes.in_force if any(p in gone for p, _ in i.packs)]
            for index in naming:
                self._put_without(index, frozenset(gone))
            self._backend.delete_all(index_key(index.name) for index in naming)
            self._refresh()

    def _put_without(self, index: Index, gone: frozenset[FileName]) -> None:
        numbers = {n for n, (pack, _) in enumerate(index.packs) if pack in gone}
        stays = [pack not in numbers for pack, *_ in index.raw_blocks()]
        rows = bytearray(stays[block] for block, *_ in index.raw_places())
        if any(rows):
            name, data = merge(
                [index],
                lambda _, row: bool(rows[row]),
                level=index.level,
                replaces=(index.name,),
            )
            self._backend.put(index_key(name), data)

    def delete_packs(self, packs: Iterable[FileName]) -> None:
        """Delete packs that no listed index names any more."""
        with translated(self._backend.address):
            self._backend.delete_all(map(pack_key, packs))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete tombstones."""
        with translated(self._backend.address):
            self._backend.delete_all(keys)
