"""Entries of a remote that are read here for a while, without becoming part of the store.

In the store itself a tree would promise that all that it names is there, too.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import Kind, Place
from pivot.store.store import Store
from pivot.sync.staging import staging_folder
from pivot.transfer.fetch import Source, Spool
from pivot.transfer.fetch import fetch as receive
from pivot.transfer.lanes import JOBS
from pivot.transfer.progress import Meter
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sink import Sink


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What the store has, and beside it a staging store that lasts as long as the block."""

    store: Store
    staging: Store
    source: Source

    @classmethod
    @contextlib.contextmanager
    def beside(cls, store: Store, remote: RemoteStore, jobs: int = JOBS) -> Iterator[Self]:
        """Stage below the store's `tmp/`; all of it is removed at the end."""
        with staging_folder(store.root) as folder:
            staging = Store.open(os.path.join(folder, "staging"))
            yield cls(store, staging, Source(remote, Spool(folder), jobs))

    def read(self, id_: ObjectId, kind: Kind) -> bytes:
        """An entry, verified, from wherever it is here."""
        place = self.staging if self.staging.has(id_) else self.store
        return place.read(id_, kind)

    def obtain_known(self, ids: Collection[ObjectId]) -> list[ObjectId]:
        """Bring here what either side has; returns what neither has."""
        remote = self.source.remote
        lost = {id_ for id_ in ids if not self.has(id_) and remote.find(id_) is None}
        self.obtain([id_ for id_ in ids if id_ not in lost])
        return sorted(lost)

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry can be read here."""
        return self.store.has(id_) or self.staging.has(id_)

    def obtain(self, ids: Collection[ObjectId], meter: Meter | None = None) -> None:
        """Bring here what the store hasn't.

        Raises `PackGoneError` for what the remote hasn't where it says, `IntegrityError` for what
        it has damaged or never had; all else is here then.
        """
        wanted: dict[ObjectId, Place] = {}
        for id_ in ids:
            if not self.has(id_):
                wanted[id_] = self._place(id_)
        if not wanted:
            return
        with Sink(self.staging, meter or Meter(None, 0)) as sink:
            damaged = receive(self.source, sink, wanted, share_known=False)
        for error in damaged.values():
            raise error

    def _place(self, id_: ObjectId) -> Place:
        remote = self.source.remote
        place = remote.find(id_)
        if place is None:
            raise IntegrityError(f"object {id_.hex()[:12]} is not in {remote.address}")
        return place
