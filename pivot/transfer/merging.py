"""Merging the indexes of a remote, so that however many pushes there were, few are read.

Eight of a level become one of the next, which names them as replaced; then they are deleted.
Nobody is asked first, so clients that merge at once make duplicates: of the same eight, or of the
seven that both knew and one of each's own. The next merge ends those. A reader that comes too late
for an index lists again.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final

from pivot.hashing import ObjectId
from pivot.store.entry import FileName
from pivot.store.index import Index, index_key
from pivot.store.merge import Keep, merge
from pivot.transfer.doomed import Doomed
from pivot.transfer.indexes import Indexes
from pivot_remotes.backend import Backend

# A fresh clone reads up to seven of each level, so under forty for any number of pushes up to
# 32,767. A store here merges by sixteen: it reads them from its own disk.
FAN_IN: Final = 8
# Bytes of a merged index, which is made in memory and read whole by every clone.
LARGEST: Final = 64 << 20


def merge_indexes(backend: Backend, indexes: Indexes, doomed: Doomed) -> None:
    """Merge until no level has eight that fit into one, and end duplicates where any has.

    Interrupted at any point, what the listed indexes say is the same: a merged index has all rows
    of those that it replaces and is put before they are deleted; and an index is deleted without
    one only while another in force has each of its rows, at the same place. Clients that do so at
    once keep the same one: that with more packs or rows, or else with the smaller name. So whoever
    deletes an index for another's sake, and that for a third one's, ends at one that nobody
    deletes; and if one is merged meanwhile, then the merged one has its rows.
    """
    if not due(indexes.in_force):
        return
    _delete_doubles(backend, indexes)
    while group := overlapping(indexes.in_force):
        _put_merged(backend, indexes, doomed, group, max(index.level for index in group))
    while group := due(indexes.in_force):
        _put_merged(backend, indexes, doomed, group, group[0].level + 1)


def _put_merged(
    backend: Backend, indexes: Indexes, doomed: Doomed, group: Sequence[Index], level: int
) -> None:
    keep = _kept(group, indexes, doomed)
    replaced = [index.name for index in group]
    name, data = merge(group, keep, level=level, replaces=replaced)
    backend.put(index_key(name), data)
    _delete_superseded(backend, indexes)
    backend.delete_all(map(index_key, replaced))
    indexes.replace(replaced, name, data)


def _delete_superseded(backend: Backend, indexes: Indexes) -> None:
    """Delete what listed indexes replace, before those go: it would count again."""
    if indexes.superseded:
        backend.delete_all(map(index_key, indexes.superseded))


def due(indexes: Sequence[Index]) -> tuple[Index, ...]:
    """The eight smallest of the lowest level that has so many, if one can hold their rows."""
    for _, level in groupby(sorted(indexes, key=_by_level), key=lambda index: index.level):
        group = tuple(level)[:FAN_IN]
        if len(group) == FAN_IN and sum(index.size for index in group) <= LARGEST:
            return group
    return ()


def overlapping(indexes: Iterable[Index]) -> tuple[Index, ...]:
    """Some that name mostly the same packs, if one can hold their rows.

    Each index of a push names packs of its own, so only merges at the same time make such.
    """
    group: list[Index] = []
    for one, other in _sharing(indexes):
        size = sum(index.size for index in group)
        fresh = [index for index in (one, other) if index not in group]
        if (not group or len(fresh) < 2) and size + sum(i.size for i in fresh) <= LARGEST:
            group += fresh
    return tuple(group)


def _sharing(indexes: Iterable[Index]) -> list[tuple[Index, Index]]:
    """Pairs that share at least half of the packs of the one that names fewer."""
    naming: dict[FileName, list[Index]] = {}
    for index in sorted(indexes, key=_by_level):
        for pack, _ in index.packs:
            naming.setdefault(pack, []).append(index)
    shared: dict[tuple[Index, Index], int] = {}
    for several in naming.values():
        for n, one in enumerate(several):
            for other in several[n + 1 :]:
                shared[one, other] = shared.get((one, other), 0) + 1
    return [
        (one, other)
        for (one, other), count in shared.items()
        if 2 * count >= min(len(one.packs), len(other.packs))
    ]


def _delete_doubles(backend: Backend, indexes: Indexes) -> None:
    """Delete indexes of which another one has all rows."""
    lesser = (_lesser(*pair) for pair in _sharing(indexes.in_force))
    doubles = {index.name for index in lesser if index is not None}
    if not doubles:
        return
    _delete_superseded(backend, indexes)
    backend.delete_all(map(index_key, doubles))
    indexes.forget(doubles)


def _lesser(one: Index, other: Index) -> Index | None:
    """That of two indexes of which the other has all rows; None where each has some of its own."""
    less, more = sorted((one, other), key=_by_worth)
    packs = {pack for pack, _ in more.packs}
    if any(pack not in packs for pack, _ in less.packs):
        return None
    rows = set(more.rows())
    return less if all(row in rows for row in less.rows()) else None


def _by_worth(index: Index) -> tuple[int, int, int]:
    return len(index.packs), index.entries, -int.from_bytes(index.name)


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
