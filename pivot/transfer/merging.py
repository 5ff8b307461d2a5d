"""Merging the indexes of a remote, so that however many pushes there were, few are read.

Sixteen of a level become one of the next, which names them as replaced; then they are deleted.
Nobody is asked first: two clients that merge the same ones make duplicates, which are harmless,
and a reader that comes too late for one lists again.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from pivot.hashing import ObjectId
from pivot.store.entry import FileName
from pivot.store.index import FAN_IN, Index, index_key
from pivot.store.merge import Keep, merge
from pivot.transfer.doomed import Doomed
from pivot.transfer.indexes import Indexes
from pivot_remotes.backend import Backend

# Bytes of a merged index, which is made in memory and read whole by every clone.
LARGEST: Final = 64 << 20


def merge_indexes(backend: Backend, indexes: Indexes, doomed: Doomed) -> None:
    """Merge until no level has sixteen that fit into one; all that count must be held.

    Interrupted at any point, what the listed indexes say is the same.
    """
    while group := due(indexes.in_force):
        keep = _kept(group, indexes, doomed)
        replaced = [index.name for index in group]
        name, data = merge(group, keep, level=group[0].level + 1, replaces=replaced)
        backend.put(index_key(name), data)
        backend.delete_all(map(index_key, (*replaced, *indexes.superseded)))
        indexes.replace(replaced, name, data)


def due(indexes: Sequence[Index]) -> tuple[Index, ...]:
    """The sixteen smallest of the lowest level that has so many, if one can hold their rows."""
    for _, level in groupby(sorted(indexes, key=_by_level), key=lambda index: index.level):
        group = tuple(level)[:FAN_IN]
        if len(group) == FAN_IN and sum(index.size for index in group) <= LARGEST:
            return group
    return ()


def _by_level(index: Index) -> tuple[int, int, FileName]:
    return index.level, index.size, index.name


def _kept(group: Sequence[Index], indexes: Indexes, doomed: Doomed) -> Keep:
    """Rows in doomed packs, which can still be read, are kept where there is nothing better.

    Those of deleted packs are all kept: a collection takes them out, and that it found some tells
    it that others may still be on the way.
    """
    needless = doomed.packs - doomed.gone
    if not any(pack in needless for index in group for pack, _ in index.packs):
        return lambda _, __: True
    stays = _staying(indexes, doomed.packs)

    def keep(number: int, row: int) -> bool:
        place = group[number].place_at(row)
        return place.block.pack not in needless or not stays(group[number].id_at(row))

    return keep


def _staying(indexes: Indexes, doomed: frozenset[FileName]) -> Callable[[ObjectId], bool]:
    return lambda id_: any(place.block.pack not in doomed for place in indexes.places(id_))
