"""Making a pack of another store this one's own, where every block of it is wanted.

Its payloads stay in the file that was brought; all else in it (names, tables, checksum) is written
anew, so nothing of it has to be believed but payloads, which the caller verifies.
"""

import os
from collections.abc import Buffer, Iterable, Sequence
from io import FileIO
from typing import Self

from pivot.errors import IntegrityError
from pivot.files import open_nofollow
from pivot.store.entry import BlockPlace, Entry, FileName, Kind, PackInfo
from pivot.store.index import rows_of, write_index
from pivot.store.pack import PACK_OVERHEAD, PackWriter, block_size


class Adoption(PackWriter):
    """Goes through a pack's file from block to block; it is this store's once it is finished."""

    @classmethod
    def begin(cls, root: str, path: str) -> Self:
        """Begin with the pack at `path`, in the store's `tmp/`, under a fresh name."""
        fd = open_nofollow(path, os.O_RDWR)
        adoption = cls(root, FileIO(fd, "r+"), path, name=FileName.fresh())
        adoption._begin()
        return adoption

    def stored(self, place: BlockPlace) -> bytes:
        """The payload of a block of the pack. Raises `IntegrityError` where the file ends early."""
        data = os.pread(self._file.fileno(), place.stored, place.offset)
        if len(data) != place.stored:
            raise IntegrityError("the pack ends early")
        return data

    def take(self, place: BlockPlace, stored: bytes, entries: Sequence[Entry]) -> None:
        """Keep the next block as it stands; the caller has verified every entry.

        Raises `IntegrityError` if it isn't where a pack would have it.
        """
        if place.offset != self.size + block_size(0, len(entries)):
            raise IntegrityError("a block isn't where it should be")
        self.append(place.codec, stored, place.raw, entries)

    def _write_payload(self, stored: Buffer) -> None:
        self._hasher.update(stored)
        length = memoryview(stored).nbytes
        self._file.seek(length, os.SEEK_CUR)
        self.size += length

    def finish(self) -> PackInfo:
        self._file.truncate(self.size)
        return super().finish()

    def release(self) -> None:
        """Leave the file where it is, as a file among others."""
        self._file.close()


def covers(blocks: Iterable[tuple[BlockPlace, int]], pack_size: int) -> bool:
    """Whether blocks, each with the number of its entries, are all that a pack has."""
    used = sum(block_size(place.stored, entries) for place, entries in blocks)
    return used + PACK_OVERHEAD == pack_size


def index_leaves(root: str, pack: PackInfo) -> None:
    """Make visible what a pack has that refers to nothing: small files and chunks.

    Trees and recipes in it are shown by nobody: what they name may not be here yet.
    """
    rows = {id_: place for id_, place in rows_of([pack]) if place.kind is Kind.DATA}
    write_index(root, rows, {pack.name: pack.size})
