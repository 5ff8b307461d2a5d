"""Making the packs of a push: only what is needed, verified, in an order that keeps promises."""

import os
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import ObjectId
from pivot.store.codec import Compressor
from pivot.store.entry import Entry, PackInfo
from pivot.store.index import INDEX_ENTRIES
from pivot.store.pack import BLOCK_SIZE, PACK_SIZE, PackInMemory, PackReader, PackWriter, pack_key
from pivot.store.store import Store
from pivot.transfer.blocks import NeededBlock, opened_raw, stored_blocks

# Entries whose places are held in memory at once. Neighbours in a push are neighbours in the
# store, so a window cuts few blocks in two.
WINDOW = 16_384
# Packs that are ended at this size or before are made in memory, where some wait to be sent.
HELD: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A finished pack: its bytes, or the file that has them."""

    info: PackInfo
    source: bytes | str


def make_packs(
    store: Store,
    folder: str,
    groups: Sequence[Iterable[ObjectId]],
    *,
    pack_size: int = PACK_SIZE,
) -> Generator[Made]:
    """Make the packs of a push, one at each step: large ones in files below `folder`.

    Every entry is verified first. Entries of a group come before all those of the next, so
    whatever begins with the first pack holds all that its later entries refer to.

    Raises `MissingDataError` or `IntegrityError` for entries that the store hasn't as promised.
    """
    packing = _Packing(folder, pack_size, PackReader(store.root))
    try:
        for group in groups:
            for window in batched(group, WINDOW, strict=False):
                for block in _blocks(store, window):
                    packing.add(block)
                    if packing.is_full:
                        yield packing.finish()
            packing.close_block()
        if packing.is_open:
            yield packing.finish()
    finally:
        packing.abandon()


def _blocks(store: Store, ids: Collection[ObjectId]) -> list[NeededBlock]:
    blocks, absent = stored_blocks(store, ids)
    if absent:
        raise MissingDataError(
            f"object {min(absent).hex()[:12]} is no longer in the cache", hint="Run `pivot fetch`"
        )
    return blocks


def _read(packs: PackReader, block: NeededBlock) -> tuple[bytes, bytes]:
    """A block as it is stored here, and opened; the needed entries in it are verified."""
    try:
        stored = packs.read(block.place)
        return stored, opened_raw(block, stored)
    except IntegrityError as error:
        raise IntegrityError(
            f"{error.message}, in pack {block.place.pack} of the cache",
            why=error.why,
            hint="Run `pivot verify --repair`",
        ) from error


class _Packing:
    """The pack that is being written, and the block of small entries that is open."""

    def __init__(self, folder: str, pack_size: int, packs: PackReader) -> None:
        self._packs = packs
        self._folder = folder
        self._pack_size = pack_size
        self._compressor = Compressor()
        self._pack: PackWriter | None = None
        self._entries = 0
        self._open: list[tuple[Entry, bytes]] = []
        self._open_size = 0

    @property
    def is_full(self) -> bool:
        size = 0 if self._pack is None else self._pack.size
        return size >= self._pack_size or self._entries >= INDEX_ENTRIES

    @property
    def is_open(self) -> bool:
        return self._pack is not None

    def add(self, block: NeededBlock) -> None:
        """Copy a block as it stands where all of it is needed, else its needed entries."""
        stored, raw = _read(self._packs, block)
        if block.is_whole:
            place = block.place
            self._writer().append(place.codec, stored, place.raw, block.entries)
            self._entries += len(block.parts)
            return
        for offset, entry in block.parts:
            data = raw[offset : offset + entry.size]
            if self._open and self._open_size + len(data) > BLOCK_SIZE:
                self.close_block()
            self._open.append((entry, data))
            self._open_size += len(data)

    def close_block(self) -> None:
        """Compress and write the open block."""
        if not self._open:
            return
        raw = b"".join(data for _, data in self._open)
        entries = tuple(entry for entry, _ in self._open)
        self._open, self._open_size = [], 0
        codec, stored = self._compressor.compress(raw)
        self._writer().append(codec, stored, len(raw), entries)
        self._entries += len(entries)

    def finish(self) -> Made:
        """End the pack; what is in the open block belongs to it."""
        self.close_block()
        pack, self._pack, self._entries = self._writer(), None, 0
        info = pack.finish()
        if isinstance(pack, PackInMemory):
            return Made(info, pack.take())
        return Made(info, os.path.join(self._folder, pack_key(info.name)))

    def abandon(self) -> None:
        self._packs.close()
        if self._pack is not None:
            self._pack.abandon()

    def _writer(self) -> PackWriter:
        if self._pack is None:
            self._pack = self._opened()
        return self._pack

    def _opened(self) -> PackWriter:
        if self._pack_size <= HELD:
            return PackInMemory.begin()
        os.makedirs(os.path.join(self._folder, "tmp"), exist_ok=True)
        return PackWriter.open(self._folder, sync=False)
