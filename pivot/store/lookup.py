"""Looking many entries up at once, in less time than one after the other."""

from collections.abc import Iterable, Iterator

from pivot.hashing import ObjectId
from pivot.store.entry import BlockPlace, Kind, Place
from pivot.store.store import Store

# An entry's offset in its opened block, its size and kind, and its id.
type Part = tuple[int, int, Kind, ObjectId]


def places(store: Store, ids: Iterable[ObjectId]) -> dict[bytes, Place]:
    """Where those of `ids` are that `store` has; what `Store.find` says of each."""
    return {
        id_: Place(block, offset, size, kind)
        for block, parts in blocks(store, ids)
        for offset, size, kind, id_ in parts
    }


def blocks(store: Store, ids: Iterable[ObjectId]) -> Iterator[tuple[BlockPlace, list[Part]]]:
    """The same by block: each block of `store` that is to give some of `ids`, and these.

    An id is named once. Raises `IntegrityError` for an index that points outside of itself.
    """
    rest: dict[bytes, ObjectId] = {id_: id_ for id_ in ids}
    for index in store.indexes:
        if not rest:
            break
        for block, parts in index.blocks_among(rest.keys()):
            if store.has_pack(index, block.pack):
                yield block, [(at, size, kind, rest.pop(id_)) for at, size, kind, id_ in parts]
