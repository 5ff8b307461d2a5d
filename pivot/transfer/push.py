"""Sending entries to a remote: packs first, then the index that names them."""

import os
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Final

from pivot.hashing import ObjectId
from pivot.store.entry import PackInfo
from pivot.store.index import FAN_IN, INDEX_ENTRIES
from pivot.store.indexing import index_of
from pivot.store.store import Store
from pivot.transfer.costs import pack_size
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.lanes import Lanes
from pivot.transfer.packing import Made, make_packs
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
        _send(remote, packs, jobs, meter)
    return meter.moved


def _send(remote: RemoteStore, packs: Iterator[Made], jobs: int, meter: Meter) -> None:
    with Lanes(jobs) as lanes:
        while batch := _start_batch(lanes, remote, packs, meter):
            index = index_of(batch)  # made while they are sent
            lanes.wait()
            remote.put_index(*index)


def _start_batch(
    lanes: Lanes, remote: RemoteStore, packs: Iterator[Made], meter: Meter
) -> list[PackInfo]:
    """Make as many packs as one index is to name, and begin to send each as soon as it is made."""
    batch: list[PackInfo] = []
    entries = 0
    started = time.monotonic()
    while (
        len(batch) < FAN_IN
        and entries < INDEX_ENTRIES
        and time.monotonic() - started < INDEX_INTERVAL
        and (made := next(packs, None)) is not None
    ):
        batch.append(made.info)
        entries += sum(len(block.entries) for block in made.info.blocks)
        lanes.start(_weight(made, remote.part_size), partial(_upload, remote, made, meter))
    return batch


def _upload(remote: RemoteStore, made: Made, meter: Meter) -> None:
    pack = made.info
    if isinstance(made.source, str):
        remote.add_pack(made.source, pack.name)
        os.unlink(made.source)
    else:
        remote.put_pack(made.source, pack.name)
    meter.add(
        sum(len(block.entries) for block in pack.blocks),
        sum(block.place.raw for block in pack.blocks),
    )


def _weight(made: Made, part_size: int | None) -> int:
    """Bytes in memory while a pack is sent: of a file two parts at once, or a block of it."""
    size = made.info.size
    if not isinstance(made.source, str):
        return size
    return min(size, _STREAMED if part_size is None else 2 * part_size)
