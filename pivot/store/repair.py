"""Checking a store, and making it whole again from what is sound.

Packs explain themselves, so indexes can be made again from them. Of a damaged pack, the entries
that still verify are kept; the pack itself is moved to `damaged/`, never deleted.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pivot.errors import IntegrityError
from pivot.store.codec import decompress
from pivot.store.entry import Entry, FileName, PackedBlock, verify
from pivot.store.index import Index, index_key, rows_of, write_index
from pivot.store.pack import intact_blocks, pack_key, scan
from pivot.store.store import Store

DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Attributes:
        packs: packs that are there; `indexes`: indexes that can be read.
        damaged_indexes, damaged_packs: those that fail their checksums, with the reason.
        missing_packs: packs that an index names and that aren't there, or have another size.
        unindexed_packs: packs that no index names: left by a crash, or their index is lost.
    """

    packs: int
    indexes: int
    damaged_indexes: tuple[tuple[FileName, str], ...]
    damaged_packs: tuple[tuple[FileName, str], ...]
    missing_packs: tuple[FileName, ...]
    unindexed_packs: tuple[FileName, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing needs repair; packs without index are no harm."""
        return not (self.damaged_indexes or self.damaged_packs or self.missing_packs)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did: packs indexed anew, entries saved from damaged packs, files set aside."""

    indexed: int
    saved: int
    set_aside: tuple[str, ...]


def check(store: Store, *, read_data: bool = False) -> Health:
    """Look at all indexes and packs; with `read_data` read every byte of every pack."""
    indexes: list[Index] = []
    damaged: list[tuple[FileName, str]] = []
    for name in store.index_names():
        try:
            indexes.append(Index.open(os.path.join(store.root, index_key(name)), name))
        except IntegrityError as error:
            damaged.append((name, error.why or error.message))
    sizes = {pack: size for index in indexes for pack, size in index.packs}
    there = _packs(store.root)
    missing = [pack for pack, size in sizes.items() if there.get(pack) != size]
    bad_packs = list(_damaged_packs(store.root, there)) if read_data else []
    return Health(
        packs=len(there),
        indexes=len(indexes),
        damaged_indexes=tuple(damaged),
        damaged_packs=tuple(bad_packs),
        missing_packs=tuple(sorted(missing)),
        unindexed_packs=tuple(sorted(there.keys() - sizes.keys())),
    )


def repair(store: Store) -> Repaired:
    """Index every sound pack anew, save what verifies of damaged ones, set the rest aside.

    Nothing is removed before what replaces it is written and synced.
    """
    old = store.index_names()
    damaged: list[FileName] = []
    indexed = 0
    for name in _packs(store.root):
        try:
            info = scan(_read(store.root, name), name)
        except IntegrityError:
            damaged.append(name)
        else:
            write_index(store.root, dict(rows_of([info])), {name: info.size})
            indexed += 1
    for index in old:
        os.unlink(os.path.join(store.root, index_key(index)))
    store.refresh()
    saved = sum(_save(store, name) for name in damaged)
    aside = tuple(_set_aside(store.root, name) for name in damaged)
    store.merge_indexes()
    return Repaired(indexed, saved, aside)


def _packs(root: str) -> dict[FileName, int]:
    """The packs in a store's folder, with their sizes in bytes."""
    found: dict[FileName, int] = {}
    for folder, _, files in os.walk(os.path.join(root, "packs")):
        for file in sorted(files):
            name = FileName.parse(file.removesuffix(".pack"))
            if name is not None:
                found[name] = os.stat(os.path.join(folder, file)).st_size
    return found


def _damaged_packs(root: str, packs: Iterable[FileName]) -> Iterator[tuple[FileName, str]]:
    for name in packs:
        try:
            scan(_read(root, name), name)
        except IntegrityError as error:
            yield name, error.why or error.message


def _read(root: str, name: FileName) -> bytes:
    with open(os.path.join(root, pack_key(name)), "rb") as f:
        return f.read()


def _save(store: Store, name: FileName) -> int:
    """Add the entries of a damaged pack that still verify; returns how many."""
    data = _read(store.root, name)
    with store.writer() as writer:
        for block in intact_blocks(data, name):
            for entry, part in _entries(block, data):
                if not writer.has(entry.id):
                    writer.add_bytes(part, entry.kind)
        return writer.added_entries


def _entries(block: PackedBlock, data: bytes) -> Iterator[tuple[Entry, bytes]]:
    """The entries of a block whose bytes are what their ids say."""
    place = block.place
    try:
        raw = decompress(place.codec, data[place.offset : place.offset + place.stored], place.raw)
    except IntegrityError:
        return
    at = 0
    for entry in block.entries:
        part = raw[at : at + entry.size]
        at += entry.size
        with contextlib.suppress(IntegrityError):
            verify(entry.id, entry.kind, part)
            yield entry, part


def _set_aside(root: str, name: FileName) -> str:
    """Move a damaged pack out of the way; returns where it is."""
    target = os.path.join(root, DAMAGED, os.path.basename(pack_key(name)))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.rename(os.path.join(root, pack_key(name)), target)
    return target
