"""The packs of a remote that its tombstones name, remembered between listings."""

import contextlib
from collections.abc import Collection, Iterator, Mapping

from pivot.errors import IntegrityError
from pivot.store.entry import FileName
from pivot.transfer.known import Copies
from pivot.transfer.tombstones import FOLDER, Tombstone, read
from pivot_remotes.backend import Backend


class Doomed:
    """What tombstones say: `packs` will be deleted, or are gone; a push counts them as absent.

    Attributes:
        gone: those that are deleted, or known to be missing: nobody can read them.
        stones: the tombstones by their keys.
    """

    def __init__(self, backend: Backend, copies: Copies) -> None:
        self._backend = backend
        self._copies = copies
        self.packs: frozenset[FileName] = frozenset()
        self.gone: frozenset[FileName] = frozenset()
        self.stones: Mapping[str, Tombstone] = {}

    def recall(self) -> None:
        """Believe the copies of tombstones: what was there when they were last listed."""
        self._believe(dict(self._remembered()))

    def take_over(self, listed: Collection[str]) -> None:
        """Believe exactly the tombstones of these keys.

        Raises `NotFound` for one that a collection removed since, `IntegrityError` for one that
        can't be read.
        """
        found = {key: self._read(key) for key in sorted(listed)}
        for name in self._copies.names(FOLDER):
            if (key := f"{FOLDER}/{name}") not in listed:
                self._copies.drop(key)
        self._believe(found)

    def miss(self, packs: Collection[FileName]) -> None:
        """Note packs that indexes name and that aren't there."""
        self.gone |= frozenset(packs)

    def _believe(self, stones: Mapping[str, Tombstone]) -> None:
        self.stones = stones
        self.packs = _packs(stones.values())
        self.gone = _packs(stone for stone in stones.values() if stone.deleted)

    def _remembered(self) -> Iterator[tuple[str, Tombstone]]:
        for name in self._copies.names(FOLDER):
            key = f"{FOLDER}/{name}"
            data = self._copies.read(key)
            if data is not None:
                with contextlib.suppress(IntegrityError):  # the next listing mends it
                    yield key, read(data, key, self._backend.address)

    def _read(self, key: str) -> Tombstone:
        data = self._copies.read(key)
        if data is not None:
            with contextlib.suppress(IntegrityError):
                return read(data, key, self._backend.address)
        data = self._backend.get(key)
        stone = read(data, key, self._backend.address)
        self._copies.keep(key, data)
        return stone


def _packs(stones: Iterator[Tombstone] | Collection[Tombstone]) -> frozenset[FileName]:
    return frozenset[FileName]().union(*(stone.packs for stone in stones))
