"""Reading a whole pack: which of its entries are what their ids say, and what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.codec import decompress
from pivot.store.entry import Entry, FileName, PackedBlock, PackInfo, verify
from pivot.store.pack import open_pack, read_blocks

# Called with bytes read and bytes in all.
type Progress = Callable[[int, int], None]
type Advance = Callable[[int], None]


def counting(packs: Mapping[FileName, int], progress: Progress | None) -> Advance:
    """What is told of bytes as they are read, and tells of how far reading these packs is."""
    done, total = 0, sum(packs.values())

    def advance(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(min(done, total), total)

    return advance


class Audit:
    """One pass over a pack, block by block.

    Iterate over `entries` to the end; then `fault` says what is wrong with the pack, None if
    nothing is, and `bad` which of the entries that it lists can't be had.
    """

    def __init__(self, root: str, name: FileName, advance: Advance | None = None) -> None:
        self.name = name
        self.fault: str | None = None
        self._root = root
        self._advance = advance
        self._blocks: list[PackedBlock] = []
        self._bad: set[ObjectId] = set()
        self._size = 0

    @classmethod
    def of(cls, root: str, name: FileName, advance: Advance | None = None) -> "Audit":
        """The audit of a pack of the store at `root`, made."""
        audit = cls(root, name, advance)
        for _ in audit.entries():
            pass
        return audit

    @property
    def info(self) -> PackInfo:
        """What the pack says of itself, as far as it could be read."""
        return PackInfo(self.name, self._size, tuple(self._blocks))

    @property
    def listed(self) -> frozenset[ObjectId]:
        """The ids of all entries that it lists."""
        return frozenset(entry.id for block in self._blocks for entry in block.entries)

    @property
    def bad(self) -> frozenset[ObjectId]:
        """Entries that it lists and doesn't hold."""
        return frozenset(self._bad)

    def entries(self) -> Iterator[tuple[Entry, bytes]]:
        """Every entry whose bytes are what its id says, with them.

        Raises `PivotError` for a pack of a newer format.
        """
        try:
            with open_pack(self._root, self.name) as file:
                self._size = file.seek(0, 2)
                file.seek(0)
                for block, stored in read_blocks(file, self.name):
                    self._blocks.append(block)
                    yield from self._opened(block, stored)
                    if self._advance is not None:
                        self._advance(len(stored))
        except IntegrityError as error:
            self._note(error.why or error.message)

    def _opened(self, block: PackedBlock, stored: bytes) -> Iterator[tuple[Entry, bytes]]:
        try:
            raw = decompress(block.place.codec, stored, block.place.raw)
        except IntegrityError as error:
            self._note(str(error))
            self._bad.update(entry.id for entry in block.entries)
            return
        at = 0
        for entry in block.entries:
            part = raw[at : at + entry.size]
            at += entry.size
            try:
                verify(entry.id, entry.kind, part)
            except IntegrityError as error:
                self._note(str(error))
                self._bad.add(entry.id)
                continue
            yield entry, part

    def _note(self, fault: str) -> None:
        if self.fault is None:
            self.fault = fault
