"""Whether indexes say of packs what the packs say of themselves. A checksum can be forged."""

from collections import Counter
from collections.abc import Collection, Iterable

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import Index
from pivot.store.indexing import rows_of


class Accord:
    """Compares packs with all indexes that name them, one pack after the other.

    An index needn't name all entries of a pack, but every row must be true.
    """

    def __init__(self, indexes: Iterable[Index], packs: Collection[FileName]) -> None:
        self._unproven: list[tuple[Index, Counter[FileName]]] = []
        self._liars: list[FileName] = []
        for index in indexes:
            try:
                self._unproven.append((index, _rows_by_pack(index, packs)))
            except IntegrityError:  # a row that leads nowhere
                self._liars.append(index.name)

    def compare(self, pack: PackInfo) -> None:
        """Take the word of a sound pack."""
        rows: frozenset[tuple[ObjectId, Place]] | None = None
        for index, unproven in self._unproven:
            if not unproven[pack.name]:
                continue
            if rows is None:
                rows = frozenset(rows_of([pack]))
            unproven[pack.name] -= sum(index.find(id_) == place for id_, place in rows)

    def excuse(self, pack: FileName) -> None:
        """Leave a damaged pack out: its word is worth nothing."""
        for _, unproven in self._unproven:
            del unproven[pack]

    @property
    def liars(self) -> tuple[FileName, ...]:
        """The indexes with rows that no pack confirmed, of those that were compared."""
        unproven = (index.name for index, rows in self._unproven if rows.total())
        return (*self._liars, *unproven)


def _rows_by_pack(index: Index, packs: Collection[FileName]) -> Counter[FileName]:
    if not any(pack in packs for pack, _ in index.packs):
        return Counter()
    return Counter(place.block.pack for _, place in index.rows() if place.block.pack in packs)
