"""The indexes of a remote that are in force, each read once: from its copy here, or from there."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, Place
from pivot.store.index import Index, index_key
from pivot.transfer.known import Copies
from pivot.transfer.listing import INDEXES
from pivot_remotes.backend import Backend

DOWNLOADS: Final = 8
SIDE_BY_SIDE: Final = 2  # so many are worth a pool of threads


@dataclass(frozen=True, slots=True)
class Held:
    """Entries that a remote has, and packs that hold all of them."""

    ids: AbstractSet[bytes]
    packs: AbstractSet[FileName]


class Indexes:
    """What the listed indexes say. It holds none until some are taken over."""

    def __init__(self, backend: Backend, copies: Copies) -> None:
        self._backend = backend
        self._copies = copies
        self._held: dict[FileName, Index] = {}
        self._sizes: dict[FileName, int] = {}
        self.superseded: frozenset[FileName] = frozenset()  # listed, but replaced by others

    @property
    def in_force(self) -> tuple[Index, ...]:
        """Those that count: listed, and not replaced by another one that is."""
        return tuple(self._held.values())

    @property
    def names(self) -> frozenset[FileName]:
        """Those in force, and those that are listed though others replace them."""
        return self.superseded | self._held.keys()

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

    def held(self, ids: Iterable[ObjectId], denied: Collection[FileName]) -> "Held":
        """Which of `ids` are in packs that aren't `denied`, and in which packs."""
        rest = set[bytes](ids)
        found, packs = set[bytes](), set[FileName]()
        for index in self._held.values():
            if not rest:
                break
            here, named = _held_by(index, rest, denied)
            rest -= here
            found |= here
            packs |= named
        return Held(found, packs)

    def naming(self, pack: FileName) -> FileName:
        """An index that names a pack."""
        return next(index.name for index in self._held.values() if pack in dict(index.packs))

    def naming_any(self, packs: AbstractSet[FileName]) -> frozenset[FileName]:
        """The indexes that name any of these packs."""
        return frozenset(
            index.name
            for index in self._held.values()
            if any(pack in packs for pack, _ in index.packs)
        )

    def take_over(self, listed: Collection[FileName]) -> None:
        """Hold exactly the listed ones, less those that another one replaces.

        Raises `NotFound` for one that was merged away since, `IntegrityError` for a damaged one.
        """
        names = frozenset(listed)
        self._drop_copies_but(names)
        fresh = sorted(names - self._held.keys())
        opened = self._open_all(fresh)
        opened.update((name, index) for name, index in self._held.items() if name in names)
        self._hold(opened)

    def replace(self, replaced: Iterable[FileName], name: FileName, data: bytes) -> None:
        """Hold a merged index that was put there instead of those that it replaces."""
        self._copies.keep(index_key(name), data)
        gone = frozenset(replaced)
        for old in gone:
            self._copies.drop(index_key(old))
        held = {index.name: index for index in self.in_force if index.name not in gone}
        self._hold({**held, name: Index(memoryview(data), name)})

    def forget(self, names: Iterable[FileName]) -> None:
        """Hold these no longer, which were deleted there; others have all of their rows."""
        for name in names:
            self._copies.drop(index_key(name))
            del self._held[name]

    def add(self, name: FileName, data: bytes) -> None:
        """Hold an index that was just put there, and keep its copy."""
        self._copies.keep(index_key(name), data)
        self._admit(Index(memoryview(data), name))

    def _hold(self, opened: Mapping[FileName, Index]) -> None:
        replaced = {old for index in opened.values() for old in index.replaces}
        self.superseded = frozenset(opened.keys() & replaced)
        self._held, self._sizes = {}, {}
        for name, index in opened.items():
            if name not in replaced:
                self._admit(index)

    def _admit(self, index: Index) -> None:
        self._held[index.name] = index
        self._sizes.update(index.packs)

    def _drop_copies_but(self, names: frozenset[FileName]) -> None:
        files = {os.path.basename(index_key(name)) for name in names}
        for file in self._copies.names(INDEXES):
            if file not in files:
                self._copies.drop(f"{INDEXES}/{file}")

    def _open_all(self, names: Sequence[FileName]) -> dict[FileName, Index]:
        if len(names) < SIDE_BY_SIDE:
            return {name: self._open(name) for name in names}
        # A push with nothing to do need not import it.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="pivot-indexes") as threads:
            return dict(zip(names, threads.map(self._open, names), strict=True))

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


def _held_by(
    index: Index, ids: set[bytes], denied: Collection[FileName]
) -> tuple[set[bytes], set[FileName]]:
    """Which of `ids` an index places in packs that aren't denied, and those packs."""
    found, numbers = set[bytes](), set[int]()
    allowed = [pack not in denied for pack, _ in index.packs]
    for id_, row in index.rows_among(ids):
        number = index.pack_at(row)
        if allowed[number]:
            found.add(id_)
            numbers.add(number)
    return found, {index.packs[number][0] for number in numbers}


def replace_hint(index: FileName) -> str:
    """What sends entries again: a push relies on what the listed indexes say."""
    key = index_key(index)
    return f"Delete `{key}` there, then run `pivot push` in a clone that has the data"
