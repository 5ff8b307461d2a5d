"""Carrying out a collection. The store must be held alone, from marking to the end.

First an index without what isn't needed replaces all others; only then packs go. What is left of
half-needed packs is written anew, indexed and synced before they go in turn. Whoever dies in
between leaves a store in which everything needed is found, and something too much.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from pivot.errors import IntegrityError, PivotError
from pivot.files import TEMPORARY_PREFIX, fsync_dir
from pivot.gc.plan import GcPlan
from pivot.store.codec import decompress
from pivot.store.entry import BlockPlace, Entry, FileName, verify
from pivot.store.gate import IN_USE
from pivot.store.index import Index, index_key
from pivot.store.merge import Keep
from pivot.store.pack import REPAIR, MissingPackError, pack_key, read_stored, remove_pack
from pivot.store.store import Store
from pivot.store.writer import Writer

_LEFT = "half-needed packs were left as they are"

type Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Swept:
    """What was done: `bytes` that the store's packs are smaller by.

    `unfinished` says why half-needed packs were left as they are, where something kept us from
    writing their needed part anew.
    """

    packs: int
    bytes: int
    unfinished: PivotError | None = None


def sweep(
    store: Store,
    indexes: tuple[Index, ...],
    marks: tuple[bytearray, ...],
    plan: GcPlan,
    progress: Progress | None = None,
) -> Swept:
    """Remove what isn't marked. Raises `OSError` before anything is removed, or afterwards."""
    before = sum(plan.sizes.values())
    gone = frozenset(plan.remove)
    if plan.stale or set(store.index_names()) != {index.name for index in indexes}:
        _replace_all(store, indexes, lambda n, row: bool(marks[n][row]))
    _remove(store, gone)
    unfinished = _repack_all(store, plan.repack, progress) if plan.repack else None
    _clear_temporaries(store.root)
    after = sum(_size(store.root, pack) for index in store.indexes for pack, _ in index.packs)
    removed = len(gone) + (0 if unfinished else len(plan.repack))
    return Swept(removed, before - after, unfinished)


def _replace_all(store: Store, indexes: tuple[Index, ...], keep: Keep) -> None:
    """Put one index in the place of all files of indexes, superseded ones included.

    One of those could otherwise be left after a power failure, and name what is gone.
    """
    level = max((index.level for index in indexes), default=0)
    kept = store.replace_indexes(indexes, keep, level=level)
    for name in store.index_names():
        if name != kept:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(store.root, index_key(name)))
    fsync_dir(os.path.join(store.root, "index"))
    store.refresh()


def _remove(store: Store, packs: Collection[FileName]) -> None:
    folders = {os.path.dirname(pack_key(pack)) for pack in packs}
    for pack in packs:
        remove_pack(store.root, pack)
    for folder in folders:
        with contextlib.suppress(OSError):  # others are in it
            os.rmdir(os.path.join(store.root, folder))
    store.refresh()


def _repack_all(
    store: Store, packs: Iterable[FileName], progress: Progress | None
) -> PivotError | None:
    """Write what is needed of these packs anew, and remove them."""
    doomed = frozenset(packs)
    try:
        _copy(store, doomed, progress)
    except OSError as error:
        return PivotError(
            _LEFT, why=error.strerror, hint="Free some space, then run `pivot gc` again"
        )
    except IntegrityError as error:
        return PivotError(_LEFT, why=str(error), hint=REPAIR)
    indexes = store.indexes
    wanted = [_rows_outside(index, doomed) for index in indexes]
    _check_copied(indexes, wanted)
    _replace_all(store, indexes, lambda n, row: bool(wanted[n][row]))
    _remove(store, doomed)
    return None


def _check_copied(indexes: Sequence[Index], outside: Sequence[bytearray]) -> None:
    """Every entry of packs that are to go must have a place in one that stays."""
    for index, rows in zip(indexes, outside, strict=True):
        for row in (row for row, stays in enumerate(rows) if not stays):
            id_ = index.id_at(row)
            places = zip((other.row_of(id_) for other in indexes), outside, strict=True)
            if not any(place is not None and stays[place] for place, stays in places):
                raise IntegrityError(f"object {id_.hex()[:12]} was not copied", hint=REPAIR)


def _rows_outside(index: Index, packs: Collection[FileName]) -> bytearray:
    numbers = {n for n, (pack, _) in enumerate(index.packs) if pack in packs}
    outside = [pack not in numbers for pack, *_ in index.raw_blocks()]
    return bytearray(outside[block] for block, *_ in index.raw_places())


def _copy(store: Store, packs: Collection[FileName], progress: Progress | None) -> None:
    """Copy all indexed entries of these packs into new ones, each verified on the way."""
    blocks = _blocks_of(store.indexes, packs)
    done, total = 0, sum(place.raw for place in blocks)
    with store.copier() as writer:
        for place, entries in blocks.items():
            _copy_block(store.root, writer, place, entries)
            done += place.raw
            if progress is not None:
                progress(done, total)


def _blocks_of(
    indexes: Iterable[Index], packs: Collection[FileName]
) -> dict[BlockPlace, list[tuple[int, int, Entry]]]:
    """The indexed entries of packs, by block: offset in it, size, and entry, in order."""
    found: dict[BlockPlace, list[tuple[int, int, Entry]]] = {}
    for index in indexes:
        numbers = {n for n, (pack, _) in enumerate(index.packs) if pack in packs}
        inside = [pack in numbers for pack, *_ in index.raw_blocks()]
        for row, (block, *_) in enumerate(index.raw_places()):
            if inside[block]:
                place = index.place_at(row)
                entry = Entry(index.id_at(row), place.kind, place.size)
                found.setdefault(place.block, []).append((place.offset, place.size, entry))
    for entries in found.values():
        entries.sort()  # an empty entry comes before the one that begins at the same byte
    return dict(sorted(found.items(), key=lambda item: (item[0].pack, item[0].offset)))


def _copy_block(
    root: str, writer: Writer, place: BlockPlace, entries: Sequence[tuple[int, int, Entry]]
) -> None:
    stored = read_stored(root, place)
    raw = decompress(place.codec, stored, place.raw)
    parts = [(entry, raw[at : at + size]) for at, size, entry in entries]
    for entry, part in parts:
        verify(entry.id, entry.kind, part)
    if b"".join(part for _, part in parts) == raw:
        writer.add_block(place.codec, stored, place.raw, [entry for entry, _ in parts])
        return
    for entry, part in parts:
        writer.add_bytes(part, entry.kind)


def _clear_temporaries(root: str) -> None:
    """What sessions that died left; nobody else is here."""
    for folder in ("tmp", "index", ""):
        for name in os.listdir(os.path.join(root, folder)):
            is_left = folder == "tmp" and name != os.path.basename(IN_USE)
            if is_left or name.startswith(TEMPORARY_PREFIX):
                _clear(os.path.join(root, folder, name))


def _clear(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _size(root: str, pack: FileName) -> int:
    try:
        return os.stat(os.path.join(root, pack_key(pack))).st_size
    except FileNotFoundError as error:
        raise MissingPackError(f"pack {pack} is missing") from error
