"""Bringing entries from a remote: whole packs or ranges of them, verified before they are kept."""

import asyncio
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, Place
from pivot.store.writer import Writer
from pivot.transfer.blocks import NeededBlock, needed_blocks, opened
from pivot.transfer.lanes import JOBS, Lanes, run
from pivot.transfer.progress import Meter
from pivot.transfer.ranges import Range, ranges, wants_whole
from pivot.transfer.remote import RemoteStore

_STREAMED = 2 << 20


class Spool:
    """Whole packs of a remote in a folder here, for the length of one fetch."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def path(self, pack: FileName) -> str:
        return os.path.join(self._folder, f"{pack}.pack")

    def has(self, pack: FileName) -> bool:
        return os.path.exists(self.path(pack))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fetch reads: the remote, and what of it was brought here already."""

    remote: RemoteStore
    spool: Spool
    jobs: int = JOBS


def fetch(
    source: Source,
    writer: Writer,
    ids: Collection[ObjectId],
    meter: Meter,
    *,
    share_known: bool,
) -> None:
    """Add the entries `ids`, which the remote's indexes name, to a store; in any order.

    With `share_known` false, more will be wanted of the same packs: small ones are brought whole.
    Raises `IntegrityError` for bytes that aren't what their id says: none of them was added, what
    was verified before was.
    """
    run(_receive(source, writer, ids, meter, share_known=share_known))


async def _receive(
    source: Source,
    writer: Writer,
    ids: Collection[ObjectId],
    meter: Meter,
    *,
    share_known: bool,
) -> None:
    sink = _Sink(writer, meter)
    async with Lanes(source.jobs) as lanes, asyncio.TaskGroup() as group:
        for pack, wanted in _by_pack(source.remote, ids).items():
            for weight, job in _jobs(source, sink, pack, wanted, share_known=share_known):
                await lanes.start(group, weight, job)


def _by_pack(
    remote: RemoteStore, ids: Iterable[ObjectId]
) -> dict[FileName, list[tuple[ObjectId, Place]]]:
    found: dict[FileName, list[tuple[ObjectId, Place]]] = {}
    for id_ in ids:
        place = remote.find(id_)
        if place is None:
            raise IntegrityError(f"object {id_.hex()[:12]} is not in {remote.address}")
        found.setdefault(place.block.pack, []).append((id_, place))
    return found


def _jobs(
    source: Source,
    sink: "_Sink",
    pack: FileName,
    wanted: Iterable[tuple[ObjectId, Place]],
    *,
    share_known: bool,
) -> Iterator[tuple[int, Callable[[], None]]]:
    """The calls that bring what is wanted of a pack, with the bytes that each holds."""
    remote, path = source.remote, source.spool.path(pack)
    try:
        blocks = needed_blocks(wanted)
    except IntegrityError as error:
        raise remote.damaged(pack, error) from error
    size = remote.pack_size(pack)
    if source.spool.has(pack):
        yield min(size, _STREAMED), partial(_from_spool, remote, sink, blocks, path)
    elif wants_whole(blocks, size, share_known=share_known):
        yield min(size, _STREAMED), partial(_whole, remote, sink, blocks, path)
    else:
        for part in ranges(blocks):
            yield part.length, partial(_range, remote, sink, part)


def _range(remote: RemoteStore, sink: "_Sink", part: Range) -> None:
    data = memoryview(remote.read(part.pack, part.start, part.length))
    for block in part.blocks:
        at = block.place.offset - part.start
        _land(remote, sink, block, bytes(data[at : at + block.place.stored]))


def _whole(remote: RemoteStore, sink: "_Sink", blocks: list[NeededBlock], path: str) -> None:
    remote.download(blocks[0].place.pack, path)
    _from_spool(remote, sink, blocks, path)


def _from_spool(remote: RemoteStore, sink: "_Sink", blocks: list[NeededBlock], path: str) -> None:
    with open(path, "rb", buffering=0) as file:
        for block in blocks:
            stored = os.pread(file.fileno(), block.place.stored, block.place.offset)
            _land(remote, sink, block, stored)


def _land(remote: RemoteStore, sink: "_Sink", block: NeededBlock, stored: bytes) -> None:
    try:
        sink.add(block, stored)
    except IntegrityError as error:
        raise remote.damaged(block.place.pack, error) from error


class _Sink:
    """Adds verified blocks to a store, from any thread."""

    def __init__(self, writer: Writer, meter: Meter) -> None:
        self._writer = writer
        self._meter = meter
        self._lock = threading.Lock()

    def add(self, block: NeededBlock, stored: bytes) -> None:
        """Verify a block's entries and add them; raises `IntegrityError` before adding any."""
        found = opened(block, stored)
        with self._lock:
            if block.is_whole:
                place = block.place
                self._writer.add_block(place.codec, stored, place.raw, block.entries)
            else:
                for entry, data in found:
                    self._writer.add_bytes(data, entry.kind)
        self._meter.add(len(found), block.size)
