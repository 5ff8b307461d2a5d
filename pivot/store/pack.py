"""Packs: immutable files of compressed blocks that explain themselves.

Layout (little-endian), format 1; `docs/format.md` has an example byte by byte:

    header   magic "PIVOTPAK", u16 version, u16 and u32 zero, 16 bytes name
    block*   "BLK1", u8 codec, u8 zero, u16 entries, u32 stored, u32 raw,
             entries x (u8 kind, 32 bytes id, u32 size), `stored` bytes of payload
    footer   "END1", u32 blocks, u64 entries, 32 bytes BLAKE3 of all before it, "PIVOTEND"

The opened block is its entries' bytes, one after the other. Nothing but the index is needed to
read an entry, and nothing but the packs to make the index again.
"""

import contextlib
import os
import struct
from collections.abc import Buffer, Iterator, Sequence
from io import FileIO
from typing import BinaryIO, Self

from blake3 import blake3

from pivot.errors import IntegrityError, PivotError
from pivot.files import fsync_dir, open_nofollow
from pivot.hashing import ObjectId
from pivot.store.access import file_mode, make_folder
from pivot.store.codec import MAX_RAW_SIZE, Codec
from pivot.store.entry import BlockPlace, Entry, FileName, Kind, PackedBlock, PackInfo

VERSION = 1
PACK_SIZE = 64 << 20
MAGIC = b"PIVOTPAK"
END_MAGIC = b"PIVOTEND"
_HEADER = struct.Struct("<8sHHI16s")
_BLOCK = struct.Struct("<4sBBHII")
_ENTRY = struct.Struct("<B32sI")
_FOOTER = struct.Struct("<4sIQ")
_CHECKSUM_SIZE = 32
FOOTER_SIZE = _FOOTER.size + _CHECKSUM_SIZE + len(END_MAGIC)
PACK_OVERHEAD = _HEADER.size + FOOTER_SIZE
MAX_ENTRIES = 0xFFFF  # of a block
MAX_OFFSET = (1 << 63) - 1  # what a file system can be asked for
_KINDS = frozenset(Kind)
_CODECS = frozenset(Codec)


def pack_key(name: FileName) -> str:
    """A pack's place in a store, here and behind a remote."""
    text = name.hex()
    return f"packs/{text[:2]}/{text}.pack"


def block_size(stored: int, entries: int) -> int:
    """The bytes that a block takes in a pack."""
    return _BLOCK.size + entries * _ENTRY.size + stored


class PackWriter:
    """Writes one pack under a temporary name; it exists for readers once `finish` returned."""

    def __init__(
        self, root: str, file: BinaryIO, temporary: str, *, name: FileName, sync: bool = True
    ) -> None:
        self.name = name
        self._root = root
        self._sync = sync
        self._file = file
        self._temporary = temporary
        self._hasher = blake3()
        self._blocks: list[PackedBlock] = []
        self.size = 0

    @classmethod
    def open(cls, root: str, *, sync: bool = True, name: FileName | None = None) -> Self:
        """Begin a pack in the store at `root`; unsynced where it is only on its way elsewhere.

        A fresh name is drawn unless one is given.
        """
        temporary = os.path.join(root, "tmp", FileName.fresh().hex())
        fd = open_nofollow(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        name = name or FileName.fresh()
        writer = cls(root, FileIO(fd, "w"), temporary, name=name, sync=sync)
        try:
            writer._write(_HEADER.pack(MAGIC, VERSION, 0, 0, name))
        except BaseException:
            writer.abandon()
            raise
        return writer

    def _write(self, *parts: Buffer) -> None:
        for part in parts:
            self._hasher.update(part)
            view = memoryview(part)
            self.size += view.nbytes
            while view.nbytes:  # an unbuffered write may take less than it was given
                view = view[self._file.write(view) :]

    def append(
        self, codec: Codec, stored: Buffer, raw_size: int, entries: Sequence[Entry]
    ) -> PackedBlock:
        """Write a block as it is to be stored; the caller vouches for its entries."""
        length = memoryview(stored).nbytes
        head = _BLOCK.pack(b"BLK1", codec, 0, len(entries), length, raw_size)
        table = b"".join(_ENTRY.pack(e.kind, e.id, e.size) for e in entries)
        place = BlockPlace(self.name, self.size + len(head) + len(table), length, raw_size, codec)
        self._write(head + table, stored)
        block = PackedBlock(place, tuple(entries))
        self._blocks.append(block)
        return block

    def finish(self) -> PackInfo:
        """Sync the pack (unless told not to) and give it its name."""
        entries = sum(len(block.entries) for block in self._blocks)
        self._write(_FOOTER.pack(b"END1", len(self._blocks), entries))
        self._write(self._hasher.digest() + END_MAGIC)
        if self._sync:
            os.fsync(self._file.fileno())
        os.fchmod(self._file.fileno(), file_mode(self._root))
        self._file.close()
        self._land()
        return PackInfo(self.name, self.size, tuple(self._blocks))

    def _land(self) -> None:
        final = os.path.join(self._root, pack_key(self.name))
        folder = os.path.dirname(final)
        is_new = not os.path.isdir(folder)
        make_folder(self._root, folder)
        os.rename(self._temporary, final)
        if self._sync:
            fsync_dir(folder)
            if is_new:  # the folder's own name must survive a crash too
                fsync_dir(os.path.dirname(folder))

    def abandon(self) -> None:
        """Remove the unfinished pack, or the finished one if its last step failed."""
        self._file.close()
        remove_pack(self._root, self.name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)


def remove_pack(root: str, name: FileName) -> None:
    """Remove a pack that no index names; it may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(root, pack_key(name)))


class MissingPackError(IntegrityError):
    """An index names a pack that isn't there: it was lost, or collected since it was listed."""

    code = "missing_pack"


def read_stored(root: str, place: BlockPlace) -> bytes:
    """The payload of a block, as stored.

    Raises `MissingPackError`, or `IntegrityError` when the pack ends early or the place is one
    that no block has.
    """
    if place.stored > MAX_RAW_SIZE or place.offset > MAX_OFFSET:
        raise IntegrityError(f"a block of pack {place.pack} is larger than any block is")
    try:
        fd = open_nofollow(os.path.join(root, pack_key(place.pack)))
    except FileNotFoundError as error:
        raise MissingPackError(
            f"pack {place.pack} is missing", hint="Run `pivot doctor --repair`"
        ) from error
    try:
        stored = os.pread(fd, place.stored, place.offset)
    finally:
        os.close(fd)
    if len(stored) != place.stored:
        raise IntegrityError(f"pack {place.pack} ends early")
    return stored


def scan(data: bytes, name: FileName) -> PackInfo:
    """Read a whole pack's own account of itself, from its bytes.

    Raises `IntegrityError` when anything in it is damaged; a pack of a newer format is an error
    that says so.
    """
    _check_ends(data, name)
    end = len(data) - FOOTER_SIZE
    blocks: list[PackedBlock] = []
    at = _HEADER.size
    while at < end:
        block, at = _scan_block(data, at, end, name)
        blocks.append(block)
    tag, count, entries = _FOOTER.unpack_from(data, end)
    if (tag, count, entries) != (b"END1", len(blocks), sum(len(b.entries) for b in blocks)):
        raise _damaged(name, "its footer doesn't fit its blocks")
    return PackInfo(name, len(data), tuple(blocks))


def intact_blocks(data: bytes, name: FileName) -> Iterator[PackedBlock]:
    """The blocks of a damaged pack up to the first that makes no sense; payloads aren't checked."""
    at, end = _HEADER.size, len(data)
    with contextlib.suppress(IntegrityError):
        while at < end:
            block, at = _scan_block(data, at, end, name)
            yield block


def _damaged(name: FileName, why: str) -> IntegrityError:
    return IntegrityError(f"pack {name} is damaged", why=why, hint="Run `pivot doctor --repair`")


def _check_ends(data: bytes, name: FileName) -> None:
    if len(data) < _HEADER.size + FOOTER_SIZE or not data.startswith(MAGIC):
        raise _damaged(name, "it is no pack, or ends early")
    _, version, _, _, inner = _HEADER.unpack_from(data)
    if version > VERSION:
        raise PivotError(
            f"pack {name} has format {version}, newer than this Pivot reads",
            hint="Upgrade with `pip install --upgrade pivot`",
        )
    if version != VERSION:
        raise _damaged(name, f"it says that it has format {version}, which never was")
    body, checksum = memoryview(data)[: -_CHECKSUM_SIZE - 8], data[-_CHECKSUM_SIZE - 8 : -8]
    if inner != name or blake3(body).digest() != checksum or data[-8:] != END_MAGIC:
        raise _damaged(name, "its checksum doesn't match")


def _scan_block(data: bytes, at: int, end: int, name: FileName) -> tuple[PackedBlock, int]:
    if at + _BLOCK.size > end:
        raise _damaged(name, "a block is cut off")
    tag, codec, _, count, stored, raw = _BLOCK.unpack_from(data, at)
    payload = at + _BLOCK.size + count * _ENTRY.size
    if tag != b"BLK1" or payload + stored > end or raw > MAX_RAW_SIZE or codec not in _CODECS:
        raise _damaged(name, f"the block at byte {at} is impossible")
    table = data[at + _BLOCK.size : payload]
    rows = list(_ENTRY.iter_unpack(table))
    if sum(size for _, _, size in rows) != raw or any(kind not in _KINDS for kind, _, _ in rows):
        raise _damaged(name, f"the entries of the block at byte {at} don't add up")
    place = BlockPlace(name, payload, stored, raw, Codec(codec))
    entries = tuple(Entry(ObjectId(id_), Kind(kind), size) for kind, id_, size in rows)
    return PackedBlock(place, entries), payload + stored
