"""Bringing entries from a remote: whole packs or ranges of them, verified before they are kept."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, Place
from pivot.transfer.blocks import NeededBlock, needed_blocks
from pivot.transfer.faults import PackGoneError
from pivot.transfer.jobs import JOBS
from pivot.transfer.lanes import Lanes
from pivot.transfer.ranges import Range, ranges, wants_whole
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sink import Landed, Sink

_STREAMED: Final = 2 << 20
# So many opened bytes are added in one go.
_AT_ONCE: Final = 2 << 20

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


def fetch(source: Source, sink: Sink, wanted: Places, *, share_known: bool) -> Damaged:
    """Add the entries that a remote has at these places to a store, in any order.

    With `share_known` false, more will be wanted of the same packs: small ones are brought whole,
    and kept in the spool.

    Returns what is damaged or gone; none of it was added, and all else was. Raises what else goes
    wrong; what was verified before was added.
    """
    damage = _Damage()
    with Lanes(source.jobs) as lanes:
        for pack, places in _by_pack(wanted).items():
            taking = _Taking(source, sink, damage, pack)
            for weight, job in taking.jobs(places, share_known=share_known):
                lanes.start(weight, job)
        lanes.wait()
    return damage.found


def fetch_requests(source: Source, wanted: Places) -> int:
    """How many requests `fetch` would make for these, with `share_known`."""
    return sum(
        len(_parts(source.remote, blocks, source.remote.pack_size(pack), share_known=True)) or 1
        for pack, places in _by_pack(wanted).items()
        if not source.spool.has(pack)
        for blocks in [needed_blocks(places.items())]
    )


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


@dataclass(frozen=True, slots=True)
class _Taking:
    """Taking what is wanted of one pack."""

    source: Source
    sink: Sink
    damage: _Damage
    pack: FileName

    def jobs(
        self, wanted: Places, *, share_known: bool
    ) -> Iterator[tuple[int, Callable[[], None]]]:
        """The calls that bring it, with the bytes that each holds in memory."""
        try:
            blocks = needed_blocks(wanted.items())
        except IntegrityError as error:
            self._note(wanted, error)
            return
        size = self.source.remote.pack_size(self.pack)
        if self.source.spool.has(self.pack):
            yield min(size, _STREAMED), partial(self._from_spool, blocks, keep=not share_known)
            return
        parts = _parts(self.source.remote, blocks, size, share_known=share_known)
        if not parts:
            yield min(size, _STREAMED), partial(self._whole, blocks, keep=not share_known)
        for part in parts:
            yield part.length, partial(self._range, part)

    def _range(self, part: Range) -> None:
        try:
            data = memoryview(self.source.remote.read(part.pack, part.start, part.length))
        except PackGoneError as error:
            self.damage.note(_ids(part.blocks), error)
            return
        spans = ((b, b.place.offset - part.start) for b in part.blocks)
        self._land((block, data[at : at + block.place.stored]) for block, at in spans)

    def _whole(self, blocks: list[NeededBlock], *, keep: bool) -> None:
        try:
            self.source.remote.download(self.pack, self.source.spool.path(self.pack))
        except PackGoneError as error:
            self.damage.note(_ids(blocks), error)
            return
        self._from_spool(blocks, keep=keep)

    def _from_spool(self, blocks: list[NeededBlock], *, keep: bool) -> None:
        with open(self.source.spool.path(self.pack), "rb", buffering=0) as file:
            places = ((block, block.place) for block in blocks)
            self._land((b, os.pread(file.fileno(), at.stored, at.offset)) for b, at in places)
        if not keep:
            self.source.spool.drop(self.pack)

    def _land(self, found: Iterable[tuple[NeededBlock, bytes | memoryview]]) -> None:
        """Verify blocks and add those that are sound; some in a row, so that they stay in one."""
        sound: list[Landed] = []
        for block, stored in found:
            try:
                sound.append(Landed.verified(block, stored))
            except IntegrityError as error:
                self._note(_ids([block]), error)
            if sum(landed.block.place.raw for landed in sound) >= _AT_ONCE:
                self.sink.add(sound)
                sound = []
        self.sink.add(sound)

    def _note(self, ids: Iterable[ObjectId], error: IntegrityError) -> None:
        self.damage.note(ids, self.source.remote.damaged(self.pack, error))


def _parts(
    remote: RemoteStore, blocks: Sequence[NeededBlock], size: int, *, share_known: bool
) -> tuple[Range, ...]:
    """The ranges by which blocks of a pack are brought; none if it is to be brought whole."""
    if not remote.has_ranges:
        return ()
    parts = tuple(ranges(blocks))
    if not wants_whole(parts, size, share_known=share_known):
        return parts
    # Side by side, and verified from memory; a file would be written to be read again.
    return tuple(ranges(blocks, through=True)) if share_known else ()


def _ids(blocks: Iterable[NeededBlock]) -> Iterator[ObjectId]:
    return (entry.id for block in blocks for _, entry in block.parts)
