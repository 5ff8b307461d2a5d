"""Git's index: held against other processes, and replaced in one step.

Source: https://git-scm.com/docs/index-format
"""

import contextlib
import hashlib
import os
import struct
import time
from collections.abc import Iterator, Mapping
from typing import Self

import pygit2

from pivot.errors import PivotError
from pivot.files import temporary_name
from pivot.git.errors import git_errors, lock_held
from pivot.git.repository import Entry, WorkPath

WAIT_S = 2.0
_POLL_S = 0.02

_HEADER = struct.Struct(">4sII")
_STAT = struct.Struct(">10I")
_FIXED = 62  # bytes of an entry before its name: stat data 40, id 20, flags 2
_EXTENDED = 0x4000
_CHECKSUM = 20
_COMPRESSED_NAMES = 4  # the version that gives names as what they share with the last one


class IndexLock:
    """Git's `index.lock`, held: no other process can change the index meanwhile.

    Use it as a context manager. `prepare` makes the next index, `publish` puts it in place and
    gives the lock up; leaving the block without `publish` leaves the index as it was.
    """

    __slots__ = ("_held", "index", "path")

    def __init__(self, gitdir: str) -> None:
        self.index = os.path.join(gitdir, "index")
        self.path = self.index + ".lock"
        self._held = False

    def __enter__(self) -> Self:
        """Take the lock; raises `LockedError` when it stays held for `WAIT_S` seconds."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            except FileExistsError:
                if time.monotonic() >= deadline:
                    raise lock_held(self.path) from None
                time.sleep(_POLL_S)
            except OSError as error:
                raise PivotError(f"{self.path} can't be made", why=error.strerror) from error
            else:
                self._held = True
                return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._held = False
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)

    def prepare(
        self,
        updates: Mapping[WorkPath, Entry | None],
        stats: Mapping[WorkPath, os.stat_result],
    ) -> None:
        """Write the index with these entries replaced (None: removed) into the lock file.

        `stats` are the files' states from before they were read; with them Git sees at once that
        the files are unchanged. Everything else in the index stays.
        """
        temporary = temporary_name(self.index)
        with git_errors("Git's next index can't be written"):
            try:
                before = self._copy(temporary)
                _apply(temporary, updates)
                _stamp_file(temporary, stats)
                if before is not None:
                    # An entry no older than the index is read again by Git, since it may have
                    # changed in the same tick ("racy Git"). A new timestamp would call such
                    # entries clean unread, so the index keeps its old one.
                    os.utime(temporary, ns=(before.st_mtime_ns, before.st_mtime_ns))
                    os.chmod(temporary, before.st_mode & 0o777)
                os.replace(temporary, self.path)
            finally:
                for left in (temporary, temporary + ".lock"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(left)

    def publish(self) -> None:
        """Make what was prepared the index; the lock is free afterwards."""
        with git_errors("Git's index can't be replaced"):
            os.replace(self.path, self.index)
        self._held = False

    def _copy(self, target: str) -> os.stat_result | None:
        """Copy the index to `target`; its state, or None in a repository that has none yet."""
        try:
            with open(self.index, "rb") as source:
                state = os.fstat(source.fileno())
                data = source.read()
        except FileNotFoundError:
            return None
        with open(target, "xb") as copy:
            copy.write(data)
        return state


def _apply(path: str, updates: Mapping[WorkPath, Entry | None]) -> None:
    """Change entries of the index file at `path`."""
    index = pygit2.Index(path)
    for name, entry in updates.items():
        if entry is not None:
            mode = pygit2.enums.FileMode(entry.mode)
            index.add(pygit2.IndexEntry(name, pygit2.Oid(hex=entry.blob), mode))
        elif name in index:
            index.remove(name)
    index.write()


def _stamp_file(path: str, stats: Mapping[WorkPath, os.stat_result]) -> None:
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        by_name = {os.fsencode(name): state for name, state in stats.items()}
        stamp(data, by_name)
        f.seek(0)
        f.write(data)


def stamp(data: bytearray, stats: Mapping[bytes, os.stat_result]) -> None:
    """Set the stat data of the named entries in an index of version 2, 3 or 4, in place.

    pygit2 can't set them, and an entry without them looks modified to `git diff-files`.
    """
    for offset, name in _entries(data):
        state = stats.get(name)
        if state is not None:
            mode = _STAT.unpack_from(data, offset)[6]
            _STAT.pack_into(data, offset, *_stat_fields(state, mode))
    data[-_CHECKSUM:] = hashlib.sha1(data[:-_CHECKSUM], usedforsecurity=False).digest()


def _stat_fields(state: os.stat_result, mode: int) -> list[int]:
    """The ten 32-bit fields of an entry; Git keeps the low bits of what is wider."""
    c_s, c_ns = divmod(state.st_ctime_ns, 10**9)
    m_s, m_ns = divmod(state.st_mtime_ns, 10**9)
    fields = [c_s, c_ns, m_s, m_ns, state.st_dev, state.st_ino]
    fields += [mode, state.st_uid, state.st_gid, state.st_size]
    return [field & 0xFFFFFFFF for field in fields]


def _entries(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """Where each entry starts, and its name. Raises `ValueError` for an unknown version."""
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError(f"index version {version} is unknown")
    offset = _HEADER.size
    name = b""
    for _ in range(count):
        flags = int.from_bytes(data[offset + 60 : offset + _FIXED])
        start = offset + _FIXED + (2 if flags & _EXTENDED else 0)
        if version == _COMPRESSED_NAMES:
            dropped, start = _offset_number(data, start)
            kept = name[: len(name) - dropped]
        else:
            kept = b""
        end = data.index(0, start)
        name = kept + bytes(data[start:end])
        yield offset, name
        # Versions 2 and 3 pad with one to eight NULs to a multiple of eight bytes.
        offset = end + 1 if version == _COMPRESSED_NAMES else offset + ((end - offset + 8) & ~7)


def _offset_number(data: bytearray, at: int) -> tuple[int, int]:
    """A number as version 4 writes it (Git's offset encoding), and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
