"""Checking a store: are its indexes and packs what they should be; nothing is changed."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pivot.errors import IntegrityError
from pivot.files import lstat
from pivot.hashing import ObjectId
from pivot.store.accord import Accord
from pivot.store.audit import Audit, Progress, counting
from pivot.store.entry import FileName, Place
from pivot.store.index import Index, index_key
from pivot.store.pack import pack_key
from pivot.store.store import Store, pack_sizes


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the packs, `number` of `total`, chosen by their names.

    All parts together are all packs, and a pack stays in its part as long as it is there.
    """

    number: int = 1
    total: int = 1

    def has(self, pack: FileName) -> bool:
        return int.from_bytes(pack) % self.total == self.number - 1


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Attributes:
        packs: packs that are there; `indexes`: indexes that can be read.
        read_packs, read_bytes: how many packs were read whole, and their bytes as stored.
        damaged_indexes, damaged_packs: those that fail their checksums, with the reason; packs of
            another size than their index says; indexes that say of packs what these don't.
        missing_packs: packs that an index names and that aren't there, which is damage: whoever
            removes a pack rewrites the indexes that name it first.
        unindexed_packs: packs that no index names: left by a crash, or their index is lost.
        damaged_entries: entries that an index places where they aren't whole.
    """

    packs: int
    indexes: int
    damaged_indexes: tuple[tuple[FileName, str], ...]
    damaged_packs: tuple[tuple[FileName, str], ...]
    missing_packs: tuple[FileName, ...]
    unindexed_packs: tuple[FileName, ...]
    read_packs: int = 0
    read_bytes: int = 0
    damaged_entries: frozenset[ObjectId] = frozenset()

    @property
    def is_sound(self) -> bool:
        """Whether nothing needs repair; packs without index are no harm."""
        return not (self.damaged_indexes or self.damaged_packs or self.missing_packs)


class SoundPart(Store):
    """A store as far as its indexes can be read; those that are known to be damaged don't count."""

    def __init__(self, store: Store, health: Health) -> None:
        super().__init__(store.root, store.id)
        self._damaged = frozenset(name for name, _ in health.damaged_indexes)

    def open_index(self, name: FileName) -> Index | None:
        if name in self._damaged:
            return None
        try:
            return super().open_index(name)
        except IntegrityError:
            return None

    def find(self, id_: ObjectId) -> Place | None:
        try:
            return super().find(id_)
        except IntegrityError:  # a row that leads nowhere
            return None


def check(
    store: Store,
    *,
    read_data: bool = False,
    part: Part | None = None,
    progress: Progress | None = None,
) -> Health:
    """Look at all indexes and packs; with `read_data` read every byte of every pack in `part`.

    One block is in memory at a time. Raises `PivotError` for an index or pack of a newer format.
    """
    indexes, damaged = _open_indexes(store)
    sizes = pack_sizes(indexes)
    there = packs_in(store.root)
    part = part or Part()
    read = {name: size for name, size in there.items() if part.has(name)} if read_data else {}
    sound = _other_sizes(sizes, there)
    faults = {pack: f"it has {there[pack]} bytes, not {sizes[pack]}" for pack in sound}
    accord = Accord(indexes, read.keys() - sound.keys())
    advance = counting(read, progress)
    for name in read:
        audit = Audit.of(store.root, name, advance)
        if audit.fault is not None:
            sound[name] = audit.listed - audit.bad
            faults[name] = audit.fault
            accord.excuse(name)
        else:
            accord.compare(audit.info)
    return Health(
        packs=len(there),
        indexes=len(indexes),
        damaged_indexes=(
            *damaged,
            *((name, "it is not what its packs say") for name in accord.liars),
        ),
        damaged_packs=tuple(sorted(faults.items())),
        missing_packs=tuple(sorted(sizes.keys() - there.keys())),
        unindexed_packs=tuple(sorted(there.keys() - sizes.keys())),
        read_packs=len(read),
        read_bytes=sum(read.values()),
        damaged_entries=frozenset(_unreadable(indexes, sound)),
    )


def _other_sizes(
    sizes: Mapping[FileName, int], there: Mapping[FileName, int]
) -> dict[FileName, frozenset[ObjectId]]:
    """The packs that haven't the size that their index says: no entry of theirs is found."""
    both = sizes.keys() & there.keys()
    return {pack: frozenset() for pack in sorted(both) if sizes[pack] != there[pack]}


def packs_in(root: str) -> dict[FileName, int]:
    """The packs in a store's folder, with their sizes in bytes; links count, and have none."""
    found: dict[FileName, int] = {}
    for folder, _, files in os.walk(os.path.join(root, "packs")):
        for file in files:
            name = FileName.parse(file.removesuffix(".pack"))
            if name is not None and os.path.join(folder, file) == os.path.join(
                root, pack_key(name)
            ):
                stat = lstat(os.path.join(folder, file))
                found[name] = stat.size if stat is not None and stat.is_file else 0
    return dict(sorted(found.items()))


def _open_indexes(store: Store) -> tuple[list[Index], list[tuple[FileName, str]]]:
    indexes: list[Index] = []
    damaged: list[tuple[FileName, str]] = []
    for name in sorted(store.index_names()):
        try:
            index = Index.open(os.path.join(store.root, index_key(name)), name)
            index.check_places()
        except FileNotFoundError:  # merged away by another process: list again
            return _open_indexes(store)
        except IntegrityError as error:
            damaged.append((name, error.why or error.message))
        else:
            indexes.append(index)
    return indexes, damaged


def _unreadable(
    indexes: Iterable[Index], sound: Mapping[FileName, frozenset[ObjectId]]
) -> Iterator[ObjectId]:
    """What indexes place in damaged packs beside what is `sound` in those."""
    for index in indexes if sound else ():
        with contextlib.suppress(IntegrityError):  # a row that leads nowhere
            for id_, place in index.rows():
                if id_ not in sound.get(place.block.pack, (id_,)):
                    yield id_
