"""The indexes of a remote that are in force, each read once: from its copy here, or from there."""

import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, Place
from pivot.store.index import Index, index_key
from pivot.transfer.known import Copies
from pivot.transfer.listing import INDEXES
from pivot_remotes.backend import Backend

DOWNLOADS: Final = 8


class Indexes:
    """What the listed indexes say. It holds none until some are taken over."""

    def __init__(self, backend: Backend, copies: Copies) -> None:
        self._backend = backend
        self._copies = copies
        self._held: dict[FileName, Index] = {}
        self._sizes: dict[FileName, int] = {}

    @property
    def in_force(self) -> tuple[Index, ...]:
        """Those that count: listed, and not replaced by another one that is."""
        return tuple(self._held.values())

    @property
    def sizes(self) -> Mapping[FileName, int]:
        """The size in bytes of every pack that they name."""
        return self._sizes

    def places(self, id_: ObjectId) -> Iterator[Place]:
        """Everywhere that an entry is."""
        for index in self._held.values():
            place = index.find(id_)
            if place is not None:
                yield place

    def naming(self, pack: FileName) -> FileName:
        """An index that names a pack."""
        return next(index.name for index in self._held.values() if pack in dict(index.packs))

    def take_over(self, listed: Collection[FileName]) -> None:
        """Hold exactly the listed ones, less those that another one replaces.

        Raises `NotFound` for one that was merged away since, `IntegrityError` for a damaged one.
        """
        names = frozenset(listed)
        self._drop_copies_but(names)
        fresh = sorted(names - self._held.keys())
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="pivot-indexes") as threads:
            opened = dict(zip(fresh, threads.map(self._open, fresh), strict=True))
        opened.update((name, index) for name, index in self._held.items() if name in names)
        replaced = {old for index in opened.values() for old in index.replaces}
        self._held, self._sizes = {}, {}
        for name, index in opened.items():
            if name not in replaced:
                self._admit(index)

    def add(self, name: FileName, data: bytes) -> None:
        """Hold an index that was just put there, and keep its copy."""
        self._copies.keep(index_key(name), data)
        self._admit(Index(memoryview(data), name))

    def _admit(self, index: Index) -> None:
        self._held[index.name] = index
        self._sizes.update(index.packs)

    def _drop_copies_but(self, names: frozenset[FileName]) -> None:
        files = {os.path.basename(index_key(name)) for name in names}
        for file in self._copies.names(INDEXES):
            if file not in files:
                self._copies.drop(f"{INDEXES}/{file}")

    def _open(self, name: FileName) -> Index:
        """An index from its copy, or from the remote, whose bytes are checked before use."""
        index = self._copies.index(name)
        if index is not None:
            return index
        key = index_key(name)
        data = self._backend.get(key)
        try:
            index = Index(memoryview(data), name)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key} of {self._backend.address} is damaged",
                why=error.why,
                hint=replace_hint(name),
            ) from error
        self._copies.keep(key, data)
        return index


def replace_hint(index: FileName) -> str:
    """What sends entries again: a push relies on what the listed indexes say."""
    key = index_key(index)
    return f"Delete `{key}` there, then run `pivot push` in a clone that has the data"
