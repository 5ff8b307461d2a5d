"""The packs of a remote that its tombstones name, remembered between listings."""

import contextlib
from collections.abc import Collection, Iterator

from pivot.errors import IntegrityError
from pivot.store.entry import FileName
from pivot.transfer.known import Copies
from pivot.transfer.tombstones import FOLDER, decode
from pivot_remotes.backend import Backend


class Doomed:
    """`packs` will be deleted: a push counts them as absent."""

    def __init__(self, backend: Backend, copies: Copies) -> None:
        self._backend = backend
        self._copies = copies
        self.packs: frozenset[FileName] = frozenset()
        self.keys: frozenset[str] = frozenset()  # of the tombstones, once they were listed

    def recall(self) -> None:
        """Believe the copies of tombstones: what was there when they were last listed."""
        self.packs = frozenset[FileName]().union(*self._remembered())

    def take_over(self, listed: Collection[str]) -> bool:
        """Believe exactly the tombstones of these keys; whether they name packs that are new.

        Raises `IntegrityError` for one that can't be read.
        """
        found = [self._read(key) for key in sorted(listed)]
        for name in self._copies.names(FOLDER):
            if (key := f"{FOLDER}/{name}") not in listed:
                self._copies.drop(key)
        self.keys = frozenset(listed)
        before, self.packs = self.packs, frozenset[FileName]().union(*found)
        return not self.packs <= before

    def _remembered(self) -> Iterator[frozenset[FileName]]:
        for name in self._copies.names(FOLDER):
            key = f"{FOLDER}/{name}"
            data = self._copies.read(key)
            if data is not None:
                with contextlib.suppress(IntegrityError):  # the next listing mends it
                    yield decode(data, key, self._backend.address)

    def _read(self, key: str) -> frozenset[FileName]:
        data = self._copies.read(key)
        if data is not None:
            with contextlib.suppress(IntegrityError):
                return decode(data, key, self._backend.address)
        data = self._backend.get(key)
        packs = decode(data, key, self._backend.address)
        self._copies.keep(key, data)
        return packs
