"""Bringing entries from a remote: whole packs or ranges of them, verified before they are kept."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.adoption import Adoption, covers
from pivot.store.entry import FileName, Place
from pivot.transfer.blocks import NeededBlock, needed_blocks, opened
from pivot.transfer.faults import PackGoneError
from pivot.transfer.lanes import JOBS, Lanes, run
from pivot.transfer.ranges import Range, ranges, wants_whole
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sink import Sink

# A pack that is brought whole becomes one of the store's from this size on; smaller ones are
# better joined.
ADOPTED: Final = 8 << 20
_STREAMED: Final = 2 << 20

type Places = Mapping[ObjectId, Place]
# Entries that couldn't be had, each with what is wrong with its bytes or its pack.
type Damaged = dict[ObjectId, IntegrityError]


class Spool:
    """Whole packs of one remote in a folder here, for the length of one fetch.

    `number` tells remotes apart: a mirror has packs of the same names, which may be sound where
    these are damaged.
    """

    def __init__(self, folder: str, number: int = 0) -> None:
        self._prefix = os.path.join(folder, f"{number}-")

    def path(self, pack: FileName) -> str:
        return f"{self._prefix}{pack}.pack"

    def has(self, pack: FileName) -> bool:
        return os.path.exists(self.path(pack))

    def drop(self, pack: FileName) -> None:
        """Make room; none there is fine."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(pack))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fetch reads: the remote, and what of it was brought here already."""

    remote: RemoteStore
    spool: Spool
    jobs: int = JOBS


def fetch(
    source: Source, sink: Sink, wanted: Places, *, staged: Places, share_known: bool
) -> Damaged:
    """Add the entries that a remote has at these places to a store, in any order.

    With `share_known` false, more will be wanted of the same packs: small ones are brought whole,
    and kept in the spool. Where nothing of a pack is left over but `staged`, which is here, the
    pack itself becomes the store's.

    Returns what is damaged or gone; none of it was added, and all else was. Raises what else goes
    wrong; what was verified before was added.
    """
    damage = _Damage()
    run(_receive(source, sink, damage, _Wanted(wanted, staged), share_known=share_known))
    return damage.found


def fetch_requests(source: Source, wanted: Places) -> int:
    """How many requests `fetch` would make for these, with `share_known`."""
    return sum(
        1 if wants_whole(parts, source.remote.pack_size(pack), share_known=True) else len(parts)
        for pack, places in _by_pack(wanted).items()
        if not source.spool.has(pack)
        for parts in [tuple(ranges(needed_blocks(places.items())))]
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    places: Places
    staged: Places

    def by_pack(self) -> dict[FileName, dict[ObjectId, Place]]:
        return _by_pack(self.places)

    def staged_by_pack(self) -> dict[FileName, dict[ObjectId, Place]]:
        return _by_pack(self.staged)


def _by_pack(places: Places) -> dict[FileName, dict[ObjectId, Place]]:
    found: dict[FileName, dict[ObjectId, Place]] = {}
    for id_, place in places.items():
        found.setdefault(place.block.pack, {})[id_] = place
    return found


@dataclass(slots=True)
class _Damage:
    """Collects what is damaged, from any thread."""

    found: Damaged = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, ids: Iterable[ObjectId], error: IntegrityError) -> None:
        with self.lock:
            self.found.update(dict.fromkeys(ids, error))


async def _receive(
    source: Source, sink: Sink, damage: _Damage, wanted: _Wanted, *, share_known: bool
) -> None:
    staged = wanted.staged_by_pack()
    async with Lanes(source.jobs) as lanes, asyncio.TaskGroup() as group:
        for pack, places in wanted.by_pack().items():
            taking = _Taking(source, sink, damage, pack)
            for weight, job in taking.jobs(places, staged.get(pack, {}), share_known=share_known):
                await lanes.start(group, weight, job)


@dataclass(frozen=True, slots=True)
class _Taking:
    """Taking what is wanted of one pack."""

    source: Source
    sink: Sink
    damage: _Damage
    pack: FileName

    def jobs(
        self, wanted: Places, staged: Places, *, share_known: bool
    ) -> Iterator[tuple[int, Callable[[], None]]]:
        """The calls that bring it, with the bytes that each holds in memory."""
        try:
            blocks = needed_blocks(wanted.items())
        except IntegrityError as error:
            self._note(wanted, error)
            return
        size = self.source.remote.pack_size(self.pack)
        parts = tuple(ranges(blocks))
        if self.source.spool.has(self.pack):
            yield min(size, _STREAMED), partial(self._from_spool, blocks, keep=not share_known)
        elif wants_whole(parts, size, share_known=share_known):
            whole = needed_blocks({**staged, **wanted}.items())
            adopts = share_known and size >= ADOPTED and _is_all(whole, size)
            job = (
                partial(self._adopt, blocks, whole, wanted.keys())
                if adopts
                else partial(self._whole, blocks, keep=not share_known)
            )
            yield min(size, _STREAMED), job
        else:
            for part in parts:
                yield part.length, partial(self._range, part)

    def _range(self, part: Range) -> None:
        try:
            data = memoryview(self.source.remote.read(part.pack, part.start, part.length))
        except PackGoneError as error:
            self.damage.note(_ids(part.blocks), error)
            return
        for block in part.blocks:
            at = block.place.offset - part.start
            self._land(block, bytes(data[at : at + block.place.stored]))

    def _whole(self, blocks: list[NeededBlock], *, keep: bool) -> None:
        if self._download(blocks):
            self._from_spool(blocks, keep=keep)

    def _download(self, blocks: list[NeededBlock]) -> bool:
        try:
            self.source.remote.download(self.pack, self.source.spool.path(self.pack))
        except PackGoneError as error:
            self.damage.note(_ids(blocks), error)
            return False
        return True

    def _from_spool(self, blocks: list[NeededBlock], *, keep: bool) -> None:
        with open(self.source.spool.path(self.pack), "rb", buffering=0) as file:
            for block in blocks:
                place = block.place
                self._land(block, os.pread(file.fileno(), place.stored, place.offset))
        if not keep:
            self.source.spool.drop(self.pack)

    def _adopt(
        self, blocks: list[NeededBlock], whole: list[NeededBlock], wanted: Container[ObjectId]
    ) -> None:
        """Make the pack the store's; where it isn't sound, take of it what is."""
        if not self._download(blocks):
            return
        adoption = Adoption.begin(self.sink.root, self.source.spool.path(self.pack))
        counted: list[NeededBlock] = []
        try:
            for block in whole:
                stored = adoption.stored(block.place)
                opened(block, stored)
                adoption.take(block.place, stored, block.entries)
                counted.append(block)
                self.sink.count(block, wanted)
            pack = adoption.finish()
        except IntegrityError:
            adoption.release()
            for block in counted:
                self.sink.count(block, wanted, times=-1)
            self._from_spool(blocks, keep=False)
            return
        except BaseException:
            adoption.abandon()
            raise
        self.sink.adopt(pack)

    def _land(self, block: NeededBlock, stored: bytes) -> None:
        try:
            self.sink.add(block, stored)
        except IntegrityError as error:
            self._note(_ids([block]), error)

    def _note(self, ids: Iterable[ObjectId], error: IntegrityError) -> None:
        self.damage.note(ids, self.source.remote.damaged(self.pack, error))


def _is_all(blocks: Sequence[NeededBlock], pack_size: int) -> bool:
    """Whether blocks, and all of them, are what a pack of this size has."""
    return all(block.is_whole for block in blocks) and covers(
        ((block.place, len(block.parts)) for block in blocks), pack_size
    )


def _ids(blocks: Iterable[NeededBlock]) -> Iterator[ObjectId]:
    return (entry.id for block in blocks for _, entry in block.parts)
