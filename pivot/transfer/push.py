"""Sending entries to a remote: packs first, then the index that names them."""

import asyncio
import os
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Final

from pivot.hashing import ObjectId
from pivot.store.entry import PackInfo
from pivot.store.index import FAN_IN
from pivot.store.pack import pack_key
from pivot.store.packer import INDEX_ENTRIES
from pivot.store.store import Store
from pivot.transfer.costs import pack_size
from pivot.transfer.faults import on_disk
from pivot.transfer.lanes import JOBS, Lanes, run
from pivot.transfer.packing import make_packs
from pivot.transfer.progress import Meter, Progress, Transferred
from pivot.transfer.remote import RemoteStore

# Seconds after which what was sent is worth an index, so that an interruption loses no more.
INDEX_INTERVAL: Final = 60.0
_STREAMED: Final = 2 << 20


def push(
    store: Store,
    remote: RemoteStore,
    groups: Sequence[Collection[ObjectId]],
    total: int,
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Transferred:
    """Copy entries of `store` to `remote`; entries of a group may refer to earlier groups only.

    Interrupted at any point, every entry that the remote's indexes name is whole there, and so is
    what it refers to. `total` is the uncompressed bytes of all entries, for `progress`.

    Raises `IntegrityError` for local bytes that are damaged (they are not sent), and what
    `pivot.transfer.faults` makes of the remote's errors.
    """
    meter = Meter(progress, total)
    with (
        on_disk(store.root),
        store.in_use(),
        tempfile.TemporaryDirectory(prefix="push-", dir=os.path.join(store.root, "tmp")) as folder,
        closing(make_packs(store, folder, groups, pack_size=pack_size(total, jobs))) as packs,
    ):
        run(_send(remote, folder, packs, jobs, meter))
    return meter.moved


async def _send(
    remote: RemoteStore, folder: str, packs: Iterator[PackInfo], jobs: int, meter: Meter
) -> None:
    async with Lanes(jobs) as lanes:
        while batch := await _send_batch(lanes, remote, folder, packs, meter):
            await lanes.call(partial(remote.add_index, batch))


async def _send_batch(
    lanes: Lanes, remote: RemoteStore, folder: str, packs: Iterator[PackInfo], meter: Meter
) -> list[PackInfo]:
    """Send as many packs as one index is to name; all are there when this returns."""
    batch: list[PackInfo] = []
    entries = 0
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        while (
            len(batch) < FAN_IN
            and entries < INDEX_ENTRIES
            and time.monotonic() - started < INDEX_INTERVAL
            and (pack := await lanes.call(partial(next, packs, None))) is not None
        ):
            batch.append(pack)
            entries += sum(len(block.entries) for block in pack.blocks)
            weight = _weight(pack.size, remote.part_size)
            await lanes.start(group, weight, partial(_upload, remote, folder, pack, meter))
    return batch


def _upload(remote: RemoteStore, folder: str, pack: PackInfo, meter: Meter) -> None:
    path = os.path.join(folder, pack_key(pack.name))
    remote.add_pack(path, pack.name)
    os.unlink(path)
    meter.add(
        sum(len(block.entries) for block in pack.blocks),
        sum(block.place.raw for block in pack.blocks),
    )


def _weight(size: int, part_size: int | None) -> int:
    """Bytes in memory while a file is sent: two parts at once, or a block of the stream."""
    return min(size, _STREAMED if part_size is None else 2 * part_size)
