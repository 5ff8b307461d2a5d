"""Merging indexes into one: rows in the order of their ids, each id once.

Only the ids and places of the result are held, 48 bytes a row; the sources are read in turn.
"""

import heapq
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pivot.store.entry import FileName
from pivot.store.index import Index
from pivot.store.indexing import IndexParts

_UNUSED: Final = 0xFFFFFFFF

type Keep = Callable[[int, int], bool]


def merge(
    indexes: Sequence[Index],
    keep: Keep,
    *,
    level: int,
    replaces: Sequence[FileName] = (),
) -> tuple[FileName, bytes]:
    """A new index over the rows of `indexes`, as its name and bytes.

    `keep` says of an index's number and a row's number whether the row may stand for its id; the
    first of an id's rows for which it says yes does. `replaces`: indexes that it makes needless.
    """
    parts = IndexParts(FileName.fresh(), level, tuple(replaces))
    blocks = _Blocks(indexes, parts)
    previous = b""
    for id_, number, row, place in heapq.merge(
        *(_rows(n, index) for n, index in enumerate(indexes))
    ):
        if id_ != previous and keep(number, row):
            previous = id_
            block, offset, size, kind = place
            parts.add(id_, blocks.renumbered(number, block), offset, size, kind)
    return parts.name, parts.encode()


def _rows(number: int, index: Index) -> Iterator[tuple[bytes, int, int, tuple[int, int, int, int]]]:
    for row, (id_, place) in enumerate(zip(index.raw_ids(), index.raw_places(), strict=True)):
        yield id_, number, row, place


class _Blocks:
    """Blocks of the sources by their number in the result, which has those that are used."""

    def __init__(self, indexes: Sequence[Index], parts: IndexParts) -> None:
        self._indexes = indexes
        self._parts = parts
        self._blocks = [list(index.raw_blocks()) for index in indexes]
        self._numbers = [array("I", [_UNUSED]) * len(blocks) for blocks in self._blocks]

    def renumbered(self, source: int, block: int) -> int:
        number = self._numbers[source][block]
        if number == _UNUSED:
            pack, offset, stored, raw, codec = self._blocks[source][block]
            name, size = self._indexes[source].packs[pack]
            number = self._parts.add_block(name, size, (offset, stored, raw, codec))
            self._numbers[source][block] = number
        return number
