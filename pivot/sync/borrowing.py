"""Entries of one remote that are read here for a while."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import Place
from pivot.store.store import Store
from pivot.sync.staging import Staged, staging_beside
from pivot.transfer.fetch import Source, Spool
from pivot.transfer.fetch import fetch as receive
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Meter
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sink import Sink


@dataclass(frozen=True, slots=True)
class Borrowed(Staged):
    """What the store has, and what is brought from one remote for as long as the block lasts."""

    source: Source

    @classmethod
    @contextlib.contextmanager
    def beside(cls, store: Store, remote: RemoteStore, jobs: int = JOBS) -> Iterator[Self]:
        """Stage below the store's `tmp/`; all of it is removed at the end."""
        with staging_beside(store) as (staging, folder):
            yield cls(store, staging, folder, Source(remote, Spool(folder), jobs))

    def obtain_known(self, ids: Collection[ObjectId]) -> list[ObjectId]:
        """Bring here what either side has; returns what neither has."""
        remote = self.source.remote
        lost = {id_ for id_ in ids if not self.has(id_) and remote.find(id_) is None}
        self.obtain([id_ for id_ in ids if id_ not in lost])
        return sorted(lost)

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
