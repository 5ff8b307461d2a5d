"""Making a store whole again from what is sound.

Packs explain themselves, so indexes can be made again from them. Of a damaged pack, the entries
that still verify are kept; the pack itself is moved to `damaged/`, never deleted. Trees and recipes
of which something is missing are left out of the indexes, so that `Store.holds` is true.

Nothing is removed before what replaces it is written and synced: whoever dies at any step leaves a
store that a later repair makes whole.
"""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pivot.errors import IntegrityError
from pivot.files import fsync_dir, refuse_link, write_atomic
from pivot.hashing import ObjectId
from pivot.store.access import file_mode, make_folder
from pivot.store.audit import Audit, Progress, counting
from pivot.store.check import packs_in
from pivot.store.dangling import dangling
from pivot.store.entry import FileName, Place
from pivot.store.gate import Waiting, alone
from pivot.store.identity import STORE_KEY, StoreId
from pivot.store.index import Index, index_key
from pivot.store.indexing import rows_of, write_index
from pivot.store.pack import pack_key
from pivot.store.store import Store, make_folders

DAMAGED = "damaged"
HOLDER = "repair"
DRAFT_PREFIX = "repair-"
# An index of a draft is written after so many entries, so that memory stays bounded.
DRAFT_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        indexed: sound packs that were indexed anew.
        saved: entries saved from damaged packs.
        set_aside: where damaged packs are now.
        forgotten: trees and recipes left out of the indexes, since something of them is missing.
        lost: entries that were known before and aren't there now, forgotten ones included.
    """

    indexed: int
    saved: int
    set_aside: tuple[str, ...]
    forgotten: int = 0
    lost: frozenset[ObjectId] = field(default=frozenset(), repr=False)


def repair(
    store: Store, *, progress: Progress | None = None, waiting: Waiting | None = None
) -> Repaired:
    """Index every sound pack anew, save what verifies of damaged ones, set the rest aside.

    Waits until no other process uses the store. Raises `PivotError`, and changes nothing, where an
    index or pack has a newer format.
    """
    make_folders(store.root)
    with alone(store.root, holder=HOLDER, waiting=waiting), _draft_folder(store.root) as folder:
        old = store.index_names()
        known = _sound(store, old)
        draft = Store(store.root, store.id, listed_in=folder)
        sound, damaged = _index_anew(store.root, folder, progress)
        saved = _save(draft, folder, damaged)
        gone = dangling(draft)
        lost = gone.union(_lost(known, sound, damaged, draft))
        _publish(store.root, folder, draft.indexes, gone)
        _unlink_indexes(store.root, old)
        aside = tuple(_set_aside(store.root, pack_key(audit.name)) for audit in damaged)
        store.refresh()
        store.merge_indexes()
        return Repaired(len(sound), saved, aside, len(gone), lost)


def replace_identity(root: str) -> str | None:
    """Give a store whose `pivot-store.json` is damaged a new identity.

    Returns where the damaged file is now; None where nothing had to be done. Raises `PivotError`
    for a newer format, `IntegrityError` where the folder has nothing of a store.
    """
    try:
        Store.open(root)
    except IntegrityError:
        if not all(os.path.isdir(os.path.join(root, name)) for name in ("packs", "index")):
            raise
    else:
        return None
    make_folders(root)
    with alone(root, holder=HOLDER):
        aside = _set_aside(root, STORE_KEY)
        path = os.path.join(root, STORE_KEY)
        write_atomic(path, StoreId.fresh().encode(), mode=file_mode(root), exact=True)
    return aside


@contextlib.contextmanager
def _draft_folder(root: str) -> Iterator[str]:
    """A folder for indexes that aren't in force yet; what a dead repair left is removed."""
    within = os.path.join(root, "tmp")
    for name in os.listdir(within):
        if name.startswith(DRAFT_PREFIX):
            shutil.rmtree(os.path.join(within, name), ignore_errors=True)
    folder = os.path.join(within, DRAFT_PREFIX + os.urandom(8).hex())
    make_folders(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sound(store: Store, names: Iterable[FileName]) -> list[Index]:
    found: list[Index] = []
    for name in names:
        with contextlib.suppress(IntegrityError):
            index = store.open_index(name)
            if index is not None:
                found.append(index)
    return found


def _index_anew(
    root: str, folder: str, progress: Progress | None
) -> tuple[frozenset[FileName], list[Audit]]:
    """Write drafts of indexes over all sound packs; returns those, and audits of the others."""
    packs = packs_in(root)
    advance = counting(packs, progress)
    sound: dict[FileName, int] = {}
    damaged: list[Audit] = []
    rows: dict[ObjectId, Place] = {}
    for name in packs:
        audit = Audit.of(root, name, advance)
        if audit.fault is not None:
            damaged.append(audit)
            continue
        info = audit.info
        sound[name] = info.size
        rows.update(rows_of([info]))
        if len(rows) >= DRAFT_ENTRIES:
            write_index(folder, rows, sound)
            rows = {}
    if rows:
        write_index(folder, rows, sound)
    return frozenset(sound), damaged


def _save(draft: Store, folder: str, damaged: Sequence[Audit]) -> int:
    """Put what verifies of damaged packs, and is nowhere else, into new packs of the store."""
    if not damaged:
        return 0
    rescued = Store.open(os.path.join(folder, "rescued"))
    with rescued.writer() as writer:
        for audit in damaged:
            for entry, data in Audit(draft.root, audit.name).entries():
                if not draft.has(entry.id):
                    writer.add_bytes(data, entry.kind)
    for name in packs_in(rescued.root):
        _move(pack_key(name), rescued.root, draft.root)
    for name in rescued.index_names():
        _move(index_key(name), rescued.root, folder)
    draft.refresh()
    return writer.added_entries


def _lost(
    known: Iterable[Index], sound: frozenset[FileName], damaged: Iterable[Audit], draft: Store
) -> Iterator[ObjectId]:
    """What the indexes before, or damaged packs, name and the draft hasn't."""
    for index in known:
        with contextlib.suppress(IntegrityError):  # a row that leads nowhere
            for id_, place in index.rows():
                if place.block.pack not in sound and not draft.has(id_):
                    yield id_
    for audit in damaged:
        yield from (id_ for id_ in audit.listed if not draft.has(id_))


def _publish(root: str, folder: str, indexes: Iterable[Index], gone: frozenset[ObjectId]) -> None:
    """Put drafts in force, without what is `gone`."""
    for index in indexes:
        if not any(index.find(id_) for id_ in gone):
            _move(index_key(index.name), folder, root)
            continue
        rows = {id_: place for id_, place in index.rows() if id_ not in gone}
        if rows:
            write_index(root, rows, dict(index.packs))


def _unlink_indexes(root: str, names: Iterable[FileName]) -> None:
    for name in names:
        try:
            os.unlink(os.path.join(root, index_key(name)))
        except FileNotFoundError:
            continue
        except (IsADirectoryError, PermissionError):  # no index at all, under the name of one
            _set_aside(root, index_key(name))
    fsync_dir(os.path.join(root, "index"))


def _move(key: str, source: str, target: str) -> None:
    """Rename a finished file into another folder of the same layout, durably."""
    final = os.path.join(target, key)
    make_folder(target, os.path.dirname(final))
    refuse_link(os.path.dirname(final))
    os.chmod(os.path.join(source, key), file_mode(target))
    os.rename(os.path.join(source, key), final)
    fsync_dir(os.path.dirname(final))
    fsync_dir(os.path.dirname(os.path.dirname(final)))


def _set_aside(root: str, key: str) -> str:
    """Move something damaged out of the way, to a name that is free; returns where it is."""
    target = os.path.join(root, DAMAGED, os.path.basename(key))
    while os.path.lexists(target):
        target += "+"
    make_folder(root, os.path.dirname(target))
    refuse_link(os.path.dirname(target))
    os.rename(os.path.join(root, key), target)
    fsync_dir(os.path.dirname(target))
    fsync_dir(os.path.dirname(os.path.join(root, key)))
    return target
