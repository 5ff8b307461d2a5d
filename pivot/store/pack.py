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
import errno
import os
import struct
from collections.abc import Buffer, Iterator, Sequence
from io import BytesIO, FileIO
from typing import BinaryIO, Self

from blake3 import blake3

from pivot.errors import IntegrityError, PivotError
from pivot.files import fsync_dir, open_nofollow, open_regular, refuse_link
from pivot.hashing import ObjectId
from pivot.store.access import file_mode, make_folder
from pivot.store.codec import MAX_RAW_SIZE, Codec
from pivot.store.entry import BlockPlace, Entry, FileName, Kind, PackedBlock, PackInfo

VERSION = 1
PACK_SIZE = 64 << 20
BLOCK_SIZE = 128 << 10  # of blocks that small entries share
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
REPAIR = "Run `pivot verify --repair`"
_BLOCK_TAG = b"BLK1"
_PART_SIZE = 1 << 20
_SHORT = "it is no pack, or ends early"
_KINDS = frozenset(Kind)
_CODECS = frozenset(Codec)
# How a disk says that it can't give back what was written; EUCLEAN is Linux's only.
_DYING = frozenset({errno.EIO, errno.EBADMSG, getattr(errno, "EUCLEAN", errno.EIO)})


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
        writer._begin()
        return writer

    def _begin(self) -> None:
        try:
            self._write(_HEADER.pack(MAGIC, VERSION, 0, 0, self.name))
        except BaseException:
            self.abandon()
            raise

    def _write_payload(self, stored: Buffer) -> None:
        self._write(stored)

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
        head = _BLOCK.pack(_BLOCK_TAG, codec, 0, len(entries), length, raw_size)
        table = b"".join(_ENTRY.pack(e.kind, e.id, e.size) for e in entries)
        place = BlockPlace(self.name, self.size + len(head) + len(table), length, raw_size, codec)
        self._write(head + table)
        self._write_payload(stored)
        block = PackedBlock(place, tuple(entries))
        self._blocks.append(block)
        return block

    def finish(self) -> PackInfo:
        """Sync the pack (unless told not to) and give it its name."""
        info = self._end()
        if self._sync:
            os.fsync(self._file.fileno())
        os.fchmod(self._file.fileno(), file_mode(self._root))
        self._file.close()
        self._land()
        return info

    def _end(self) -> PackInfo:
        entries = sum(len(block.entries) for block in self._blocks)
        self._write(_FOOTER.pack(b"END1", len(self._blocks), entries))
        self._write(self._hasher.digest() + END_MAGIC)
        return PackInfo(self.name, self.size, tuple(self._blocks))

    def _land(self) -> None:
        final = os.path.join(self._root, pack_key(self.name))
        folder = os.path.dirname(final)
        is_new = not os.path.isdir(folder)
        make_folder(self._root, folder)
        refuse_link(folder)
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


class PackInMemory(PackWriter):
    """Writes one pack into memory, to be sent from there: no file is written and read again."""

    @classmethod
    def begin(cls) -> Self:
        """Begin a pack under a fresh name."""
        pack = cls("", BytesIO(), "", name=FileName.fresh(), sync=False)
        pack._begin()
        return pack

    def finish(self) -> PackInfo:
        """End the pack; `take` gives its bytes."""
        return self._end()

    def take(self) -> bytes:
        """The bytes of the finished pack."""
        file, self._file = self._file, BytesIO()
        assert isinstance(file, BytesIO)  # noqa: S101 - as `begin` made it
        return file.getvalue()

    def abandon(self) -> None:
        """Forget it."""
        self._file.close()


def remove_pack(root: str, name: FileName) -> None:
    """Remove a pack that no index names; it may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(root, pack_key(name)))


class MissingPackError(IntegrityError):
    """An index names a pack that isn't there: it was lost, or collected since it was listed."""

    code = "missing_pack"


def read_stored(root: str, place: BlockPlace) -> bytes:
    """The payload of a block, as stored.

    Raises `MissingPackError`, or `IntegrityError` when the pack ends early, the disk can't read it,
    or the place is one that no block has.
    """
    with PackReader(root) as packs:
        return packs.read(place)


class PackReader:
    """Reads payloads of blocks, and keeps the pack that it read last open: neighbours follow."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: tuple[FileName, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pack that is open."""
        if self._open is not None:
            (_, fd), self._open = self._open, None
            os.close(fd)

    def read(self, place: BlockPlace) -> bytes:
        """The payload of a block, as stored. Raises what `read_stored` does."""
        if place.stored > MAX_RAW_SIZE or place.offset > MAX_OFFSET:
            raise IntegrityError(f"a block of pack {place.pack} is larger than any block is")
        try:
            stored = os.pread(self._fd(place.pack), place.stored, place.offset)
        except OSError as error:
            _blame(place.pack, error)
            raise
        if len(stored) != place.stored:
            raise IntegrityError(f"pack {place.pack} ends early")
        return stored

    def _fd(self, pack: FileName) -> int:
        if self._open is None or self._open[0] != pack:
            self.close()
            self._open = pack, open_regular(os.path.join(self._root, pack_key(pack)))
        return self._open[1]


def scan(data: bytes, name: FileName) -> PackInfo:
    """A pack's own account of itself, from all its bytes. Raises as `read_blocks` does."""
    with BytesIO(data) as file:
        return PackInfo(name, len(data), tuple(block for block, _ in read_blocks(file, name)))


def open_pack(root: str, name: FileName) -> BinaryIO:
    """A pack of the store at `root`, open for reading.

    Raises `MissingPackError`, or `IntegrityError` if the disk can't read it.
    """
    try:
        return open(open_regular(os.path.join(root, pack_key(name))), "rb")
    except OSError as error:
        _blame(name, error)
        raise


def _blame(name: FileName, error: OSError) -> None:
    """Raise what the pack is to blame for; other errors may pass, and the pack be whole."""
    if isinstance(error, FileNotFoundError):
        raise MissingPackError(f"pack {name} is missing", hint=REPAIR) from error
    if error.errno in _DYING:
        raise _damaged(name, f"the disk can't read it: {error.strerror}") from error


def read_blocks(file: BinaryIO, name: FileName) -> Iterator[tuple[PackedBlock, bytes]]:
    """Each block of a pack with its payload as stored: one pass, one block in memory.

    What is yielded lies within the file, but neither payloads nor entries are checked. Raises
    `IntegrityError` where the pack is damaged: at once if reading can't go on, as where the disk
    fails, else at the end. A pack of a newer format is an error that says so.
    """
    try:
        yield from _read_blocks(file, name)
    except OSError as error:
        _blame(name, error)
        raise


def _read_blocks(file: BinaryIO, name: FileName) -> Iterator[tuple[PackedBlock, bytes]]:
    size = _length(file)
    head = file.read(_HEADER.size)
    fault = _head_fault(file, head, name) if len(head) == _HEADER.size else _SHORT
    hasher = blake3(head)
    at, blocks, entries = len(head), 0, 0
    while at < size:
        head = file.read(_BLOCK.size)
        if at >= size - FOOTER_SIZE and not head.startswith(_BLOCK_TAG):
            break  # at the footer; of a pack that was cut, blocks may lie where one should be
        block, table, stored = _next_block(file, head, at, size, name)
        hasher.update(table)
        hasher.update(stored)
        at += len(table) + len(stored)
        blocks, entries = blocks + 1, entries + len(block.entries)
        yield block, stored
    foot = head + file.read(FOOTER_SIZE) if at < size else b""
    hasher.update(foot[: _FOOTER.size])
    fault = fault or _foot_fault(foot, (b"END1", blocks, entries), hasher.digest())
    if fault is not None:
        raise _damaged(name, fault)


def _length(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _damaged(name: FileName, why: str) -> IntegrityError:
    return IntegrityError(f"pack {name} is damaged", why=why, hint=REPAIR)


def _head_fault(file: BinaryIO, head: bytes, name: FileName) -> str | None:
    """Why a header isn't that of the pack `name`, or None. A newer format raises."""
    magic, version, _, _, inner = _HEADER.unpack(head)
    if magic != MAGIC:
        return "it is no pack"
    if version > VERSION:
        if not _was_ours(file, head):
            raise PivotError(
                f"pack {name} has format {version}, newer than this Pivot reads",
                hint="Upgrade with `pip install --upgrade pivot`",
            )
        return "its version is damaged"
    if version != VERSION:
        return f"it says that it has format {version}, which never was"
    return None if inner == name else "it has another name than its file"


def _was_ours(file: BinaryIO, head: bytes) -> bool:
    """Whether only damage makes a pack look newer: with our version its checksum would match."""
    at = file.tell()
    hasher = blake3(head[: len(MAGIC)] + VERSION.to_bytes(2, "little") + head[len(MAGIC) + 2 :])
    rest = b""
    while part := file.read(_PART_SIZE):
        data = rest + part
        hasher.update(data[: -_CHECKSUM_SIZE - 8])
        rest = data[-_CHECKSUM_SIZE - 8 :]
    file.seek(at)
    return hasher.digest() == rest[:_CHECKSUM_SIZE]


def _foot_fault(foot: bytes, counts: tuple[bytes, int, int], checksum: bytes) -> str | None:
    if len(foot) != FOOTER_SIZE:
        return _SHORT
    if foot[_FOOTER.size : -len(END_MAGIC)] != checksum or foot[-len(END_MAGIC) :] != END_MAGIC:
        return "its checksum doesn't match"
    return None if _FOOTER.unpack_from(foot) == counts else "its footer doesn't fit its blocks"


def _next_block(
    file: BinaryIO, head: bytes, at: int, size: int, name: FileName
) -> tuple[PackedBlock, bytes, bytes]:
    """The block at byte `at`, of which `head` was read: what it is, its table, its payload."""
    if len(head) != _BLOCK.size:
        raise _damaged(name, "a block is cut off")
    tag, codec, _, count, stored, raw = _BLOCK.unpack(head)
    payload = at + _BLOCK.size + count * _ENTRY.size
    if (
        tag != _BLOCK_TAG
        or payload + stored > size
        or max(stored, raw) > MAX_RAW_SIZE
        or codec not in _CODECS
    ):
        raise _damaged(name, f"the block at byte {at} is impossible")
    table = file.read(count * _ENTRY.size)
    if len(table) != count * _ENTRY.size:
        raise _damaged(name, "a block is cut off")
    rows = list(_ENTRY.iter_unpack(table))
    if sum(size for _, _, size in rows) != raw or any(kind not in _KINDS for kind, _, _ in rows):
        raise _damaged(name, f"the entries of the block at byte {at} don't add up")
    place = BlockPlace(name, payload, stored, raw, Codec(codec))
    entries = tuple(Entry(ObjectId(id_), Kind(kind), size) for kind, id_, size in rows)
    data = file.read(stored)
    if len(data) != stored:
        raise _damaged(name, "a block is cut off")
    return PackedBlock(place, entries), head + table, data
