"""Writing the files of a tree into a fresh folder, every byte verified before it counts.

The tree is read here, in order, and so are its folders made; its files are written in batches, by
this process and, where that helps, by forked ones beside it.
"""

import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pivot.errors import IntegrityError
from pivot.files import Stat
from pivot.forking import Forked
from pivot.landing import Folders, create
from pivot.paths import TreePath
from pivot.store.content import Content, ContentType
from pivot.store.pieces import pieces
from pivot.store.store import Store
from pivot.store.tree import TreeEntry

# What one process writes at a time: so many files, or about so many bytes.
BATCH_FILES = 1500
BATCH_BYTES = 8 << 20
_STATE = struct.Struct("<qqQQI")

type File = tuple[TreePath, Content]
# Told of each step: files and bytes that were written since the last one.
type Advance = Callable[[int, int], None]
# Whether a file that needn't be written was put into the open folder.
type Keep = Callable[[TreePath, Content, int], bool]
type Wrote = Callable[[Sequence[File], Sequence[Stat]], None]


class HelpFailedError(Exception):
    """A forked process failed; doing all again without any tells why."""


def write_file(store: Store, content: Content, fd: int, advance: Advance) -> Stat:
    """Write a file's verified bytes to an open descriptor, and close it."""
    try:
        size = 0
        for part in chain.from_iterable(_pieces(store, content)):
            size += len(part)
            if size > content.size:
                break
            _write_all(fd, part)
            advance(0, len(part))
        if size != content.size:
            raise IntegrityError(f"object {content.id.hex()[:12]} has another size than declared")
        advance(1, 0)
        return Stat.of(os.fstat(fd))
    finally:
        os.close(fd)


def _pieces(store: Store, content: Content) -> Iterable[Sequence[bytes]]:
    """The bytes of a file; whether they are right is known at the end."""
    if content.recipe is None:
        return ((store.read_file(content),),)
    found = pieces(store, content.id, content.recipe)
    return _one_ahead(found) if content.size >= BATCH_BYTES else found


def _one_ahead[T](parts: Iterator[T]) -> Iterator[T]:
    """The parts, with the next one read, opened and hashed while this one is written."""
    # A checkout of small files needn't import this.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, parts, None)
        while (part := following.result()) is not None:
            following = pool.submit(next, parts, None)
            yield part


def _write_all(fd: int, part: bytes) -> None:
    done = os.write(fd, part)
    while done < len(part):  # a full disk takes some of it before it refuses
        done += os.write(fd, memoryview(part)[done:])


def is_executable(content: Content) -> bool:
    return content.type is ContentType.EXECUTABLE


@dataclass(frozen=True, slots=True)
class TreeWriter:
    """What writing a tree needs.

    Attributes:
        fd: the fresh folder.
        keep: asked first for each file.
        wrote: told of each batch that was written, in any order.
        helpers: how many forked processes to work with at most.
    """

    store: Store
    fd: int
    keep: Keep
    wrote: Wrote
    advance: Advance
    helpers: int

    def write(self, entries: Iterable[TreeEntry]) -> None:
        """Write all entries of a tree, in the tree's order.

        Raises what reading and writing raise, and `HelpFailedError`.
        """
        folders = Folders(self.fd, make=True)
        crew: list[tuple[Forked, list[File]]] = []
        try:
            for batch in _batches(self._new(entries, folders)):
                self._give(batch, crew)
            while crew:
                self._take(crew)
        finally:
            for forked, _ in crew:
                forked.kill()
            folders.close()

    def _new(self, entries: Iterable[TreeEntry], folders: Folders) -> Iterator[File]:
        """The files that are to be written; folders are made, and what can be kept is, here."""
        for entry in entries:
            if entry.content is None:
                folders.enter(entry.path)
                continue
            folder = folders.enter(entry.path.rpartition("/")[0])
            if self.keep(entry.path, entry.content, folder):
                self.advance(1, entry.content.size)
            else:
                yield entry.path, entry.content

    def _give(self, batch: list[File], crew: list[tuple[Forked, list[File]]]) -> None:
        """Have a batch written, here if all others are busy."""
        done = next((n for n, (forked, _) in enumerate(crew) if forked.is_done), None)
        if done is not None:
            self._take(crew, done)
        if len(crew) < self.helpers:
            forked = Forked.start(lambda: _packed(self._write_batch(batch, unseen)))
            if forked is not None:
                crew.append((forked, batch))
                return
        self.wrote(batch, self._write_batch(batch, self.advance))

    def _take(self, crew: list[tuple[Forked, list[File]]], number: int = 0) -> None:
        forked, batch = crew[number]
        packed = forked.result()
        del crew[number]  # not before: who is interrupted ends all that are in it
        if packed is None:
            raise HelpFailedError
        self.wrote(batch, [Stat(*state) for state in _STATE.iter_unpack(packed)])
        self.advance(len(batch), sum(content.size for _, content in batch))

    def _write_batch(self, batch: list[File], advance: Advance) -> list[Stat]:
        folders = Folders(self.fd, make=False)
        try:
            states = []
            for path, content in batch:
                folder = folders.enter(path.rpartition("/")[0])
                fd = create(path, folder, executable=is_executable(content))
                states.append(write_file(self.store, content, fd, advance))
            return states
        finally:
            folders.close()


def _batches(files: Iterator[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file[1].size
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _packed(states: Iterable[Stat]) -> bytes:
    return b"".join(_STATE.pack(s.mtime_ns, s.ctime_ns, s.size, s.inode, s.mode) for s in states)


def unseen(_files: int, _bytes: int) -> None:
    """For whoever isn't interested in progress."""
