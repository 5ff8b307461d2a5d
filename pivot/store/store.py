"""A store: a folder of immutable packs and the indexes that say what it has.

    pivot-store.json   {"format": 1, "id": 32 hex digits}
    packs/<2>/<name>.pack   index/<name>.idx   tombstones/   tmp/   projects/

The local cache, a shared directory and a bucket are the same thing. No database, no lock and no
server holds the truth; whoever adds entries writes new files and never changes old ones.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self

from blake3 import blake3

from pivot.errors import IntegrityError, MissingDataError
from pivot.files import lstat, write_atomic
from pivot.hashing import ObjectId
from pivot.store import contents
from pivot.store.access import file_mode, make_folder
from pivot.store.codec import DEFAULT_LEVEL, decompress
from pivot.store.content import Content
from pivot.store.entry import BlockPlace, FileName, Kind, Place, verify
from pivot.store.gate import Waiting, alone, shared
from pivot.store.identity import STORE_KEY, StoreId, read_id
from pivot.store.index import FAN_IN, Index, index_key
from pivot.store.indexing import land_index
from pivot.store.merge import Keep, merge
from pivot.store.pack import MissingPackError, pack_key, read_stored
from pivot.store.recipe import Recipe
from pivot.store.tree import TreeEntry

if TYPE_CHECKING:
    from pivot.store.writer import Writer

FOLDERS = ("packs", "index", "tombstones", "tmp")
CACHED_BLOCKS = 4
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class Store:
    """Reading and adding entries. Make one with `open`; it lists the indexes at first use."""

    def __init__(
        self,
        root: str,
        id_: StoreId,
        *,
        level: int = DEFAULT_LEVEL,
        listed_in: str | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        """`listed_in` is where the indexes are that count, if not in the store itself.

        `waiting` is told for whom this store waits when a collection keeps it.
        """
        self.root = root
        self._listed_in = root if listed_in is None else listed_in
        self.id = id_
        self._waiting = waiting
        self._level = level
        self._indexes: dict[FileName, Index] = {}
        self._listed = False
        self._packs_seen: dict[FileName, bool] = {}
        self._blocks: dict[BlockPlace, bytes] = {}
        # Where the last file that was read ended, and the last one of another block.
        self._last: tuple[bytes, int] = (b"", 0)
        self._other: tuple[bytes, int] = (b"", 0)
        self._alternates = False

    @classmethod
    def open(cls, root: str, *, level: int = DEFAULT_LEVEL, waiting: Waiting | None = None) -> Self:
        """Open the store at `root`, making an empty one where none is."""
        data = read_id(root)
        if data is None:
            make_folders(root)
            with alone(root, holder="init"):  # two must not name it differently
                data = read_id(root)
                if data is None:
                    data = StoreId.fresh().encode()
                    path = os.path.join(root, STORE_KEY)
                    write_atomic(path, data, mode=file_mode(root), exact=True)
        return cls(root, StoreId.decode(data, root), level=level, waiting=waiting)

    # -- what it has ----------------------------------------------------------------------

    def find(self, id_: ObjectId) -> Place | None:
        """Where an entry is; None when no index names it or its pack is gone."""
        if not self._listed:
            self.refresh()
        for index in self._indexes.values():
            place = index.find(id_)
            if place is not None and self.has_pack(index, place.block.pack):
                return place
        return None

    def holds(self, content: Content) -> bool:
        """Whether the content can be restored from here.

        A tree or recipe is written after all that it names, and collected before it: where it is,
        they are.
        """
        return self.find(content.recipe or content.id) is not None

    def holding(self, contents: Collection[Content]) -> frozenset[Content]:
        """Those of many contents that it holds; quicker than to ask for each."""
        ids = {content.recipe or content.id for content in contents}
        found: set[bytes] = set()
        for index in self.indexes:
            for id_, row in index.rows_among(ids - found):
                pack, _ = index.packs[index.pack_at(row)]
                if self.has_pack(index, pack):
                    found.add(id_)
        return frozenset(c for c in contents if (c.recipe or c.id) in found)

    def has(self, id_: ObjectId) -> bool:
        return self.find(id_) is not None

    def refresh(self) -> None:
        """List the indexes and open those not seen yet; an index made meanwhile counts.

        An index that is merged away between the listing and its opening is in one that the
        listing may lack: hence it is listed again.
        """
        self._listed = True
        self._packs_seen.clear()
        while not self._open_listed():
            pass
        for index in tuple(self._indexes.values()):
            for old in index.replaces:
                self._indexes.pop(old, None)

    def _open_listed(self) -> bool:
        """Whether all indexes that are listed could be opened."""
        names = set(self.index_names())
        for gone in self._indexes.keys() - names:
            del self._indexes[gone]
        for name in names - self._indexes.keys():
            try:
                index = self.open_index(name)
            except FileNotFoundError:
                return False
            if index is not None:
                self._indexes[name] = index
        return True

    def open_index(self, name: FileName) -> Index | None:
        """A listed index; None for one that is passed over. Raises `IntegrityError` for damage."""
        return Index.open(os.path.join(self._listed_in, index_key(name)), name)

    def index_names(self) -> list[FileName]:
        """The names of all indexes in the folder, superseded ones included."""
        try:
            files = os.listdir(os.path.join(self._listed_in, "index"))
        except FileNotFoundError:
            return []
        names = (FileName.parse(f[:-4]) for f in files if f.endswith(".idx"))
        return [name for name in names if name is not None]

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The indexes in force."""
        if not self._listed:
            self.refresh()
        return tuple(self._indexes.values())

    def has_pack(self, index: Index, pack: FileName) -> bool:
        """Whether a pack is there, as large as `index` says."""
        seen = self._packs_seen.get(pack)
        if seen is None:
            stat = lstat(os.path.join(self.root, pack_key(pack)))
            seen = stat is not None and stat.is_file and stat.size == dict(index.packs)[pack]
            self._packs_seen[pack] = seen
        return seen

    # -- reading --------------------------------------------------------------------------

    def read(self, id_: ObjectId, kind: Kind = Kind.DATA) -> bytes:
        """An entry's bytes, verified. Raises `MissingDataError` or `IntegrityError`."""
        return self._read(id_, partial(self.read_at, id_, kind))

    def read_unverified(self, id_: ObjectId) -> bytes:
        """An entry's bytes, whatever they are: for whoever hashes what they are a part of."""
        return self._read(id_, self._bytes_at)

    def _read(self, id_: ObjectId, at: Callable[[Place], bytes]) -> bytes:
        place = self.find(id_)
        if place is not None:
            with contextlib.suppress(MissingPackError):  # collected, or repacked, since it was seen
                return at(place)
        self.refresh()
        place = self.find(id_)
        if place is None:
            raise MissingDataError(
                f"object {id_.hex()[:12]} is not in the cache", hint="Run `pivot fetch`"
            )
        return at(place)

    def read_file(self, content: Content) -> bytes:
        """The verified bytes of a file that wasn't cut. Raises what `read` does.

        Files that were stored in a row lie in a row, dense ones and others in two of them. So what
        follows the last one of either is tried first: if its hash fits it is the one, and needs no
        looking up.
        """
        for is_other in (self._alternates, not self._alternates):
            block, at = self._other if is_other else self._last
            data = block[at : at + content.size]
            if len(data) == content.size and blake3(data).digest() == content.id:
                if is_other:
                    self._other = self._last
                self._last = block, at + content.size
                self._alternates = is_other
                return data
        return self.read(content.id)

    def read_at(self, id_: ObjectId, kind: Kind, place: Place) -> bytes:
        """An entry's bytes from where an index says it is, verified."""
        block = self._open_block(place.block)
        end = place.offset + place.size
        data = block[place.offset : end]
        if place.kind is not kind:
            raise IntegrityError(f"object {id_.hex()[:12]} is of another kind than its index says")
        try:
            verify(id_, kind, data)
        except IntegrityError as error:
            raise _damaged_pack(place, error) from error
        if self._last[0] is not block:
            self._other = self._last
        self._last = block, end
        return data

    def _bytes_at(self, place: Place) -> bytes:
        return self._open_block(place.block)[place.offset : place.offset + place.size]

    def _open_block(self, place: BlockPlace) -> bytes:
        block = self._blocks.get(place)
        if block is None:
            try:
                block = decompress(place.codec, read_stored(self.root, place), place.raw)
            except MissingPackError:
                raise
            except IntegrityError as error:
                raise _damaged_pack(place, error) from error
            while len(self._blocks) >= CACHED_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[place] = block
        return block

    def recipe(self, id_: ObjectId) -> Recipe:
        """A recipe, verified."""
        return Recipe.decode(self.read(id_, Kind.RECIPE))

    def stream(self, content: Content) -> Iterator[bytes]:
        """`contents.stream` of what this store has."""
        return contents.stream(content, self.read)

    def tree(self, content: Content) -> Iterator[TreeEntry]:
        """`contents.tree` of what this store has."""
        return contents.tree(content, self.read)

    # -- adding ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def writer(self) -> Iterator["Writer"]:
        """A session of adding entries; see `Writer`. The garbage collector waits for its end."""
        with self.in_use(), self._writer(self.has, self._on_indexed) as writer:
            yield writer

    def copier(self) -> "Writer":
        """A session that adds also what is there: for whoever holds the store alone.

        Nothing is merged meanwhile: of two places of an entry a merge keeps one, maybe the old.
        """
        return self._writer(lambda _: False, self._open_new)

    def _writer(
        self, known: Callable[[ObjectId], bool], indexed: Callable[[FileName], None]
    ) -> "Writer":
        # Threads and queues that a command which stores nothing need not import.
        from pivot.store.writer import Writer  # noqa: PLC0415

        return Writer(self.root, known=known, indexed=indexed, level=self._level)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the garbage collector away, and see what the store has from then on.

        For as long as what was added isn't named by a lock yet, or what was found must not go. A
        store that we may only read is used without.
        """
        with contextlib.ExitStack() as stack:
            try:
                make_folders(self.root)
                stack.enter_context(shared(self.root, self._waiting))
            except OSError as error:
                if error.errno not in _READ_ONLY or os.access(self.root, os.W_OK):
                    raise
            self.refresh()
            yield

    @contextlib.contextmanager
    def alone(
        self, *, holder: str, wait: bool = True, waiting: Waiting | None = None
    ) -> Iterator[None]:
        """Be the only one that uses the store: nobody adds, and nobody relies on what is there.

        See `pivot.store.gate.alone`.
        """
        make_folders(self.root)
        with alone(self.root, holder=holder, wait=wait, waiting=waiting):
            self.refresh()
            yield

    def _on_indexed(self, name: FileName) -> None:
        self._open_new(name)
        with contextlib.suppress(OSError):  # what was added is safe; the next session merges
            self.merge_indexes()

    def _open_new(self, name: FileName) -> None:
        with contextlib.suppress(FileNotFoundError):  # another process merged it already
            self._indexes[name] = Index.open(os.path.join(self.root, index_key(name)), name)

    def merge_indexes(self) -> None:
        """Merge sixteen indexes of a level into one of the next, until none has sixteen.

        One that names a pack which isn't there stays as it is, until a repair.
        """
        whole = [i for i in self.indexes if all(self.has_pack(i, pack) for pack, _ in i.packs)]
        level = 0
        while any(index.level >= level for index in whole):
            group = [index for index in whole if index.level == level][:FAN_IN]
            if len(group) < FAN_IN:
                level += 1
                continue
            merged = self.replace_indexes(group, lambda _, __: True, level=level + 1)
            whole = [index for index in whole if index not in group]
            whole += [index for index in self.indexes if index.name == merged]

    def replace_indexes(self, indexes: Sequence[Index], keep: Keep, *, level: int) -> FileName:
        """Put one index in the place of several, with the rows of theirs that `keep` wants.

        Returns its name.
        """
        replaces = tuple(index.name for index in indexes)
        name, data = merge(indexes, keep, level=level, replaces=replaces)
        land_index(self.root, name, data)
        for old in replaces:
            self._indexes.pop(old, None)
            with contextlib.suppress(OSError):  # gone already; or left, and superseded all the same
                os.unlink(os.path.join(self.root, index_key(old)))
        self.refresh()
        return name


def make_folders(root: str) -> None:
    """Make the folders that a store has, where they are missing."""
    if not os.path.isdir(root):
        os.makedirs(root, exist_ok=True)
    for folder in FOLDERS:
        make_folder(root, os.path.join(root, folder))


def _damaged_pack(place: Place | BlockPlace, error: IntegrityError) -> IntegrityError:
    pack = place.block.pack if isinstance(place, Place) else place.pack
    return IntegrityError(
        f"pack {pack} in the cache is damaged",
        why=str(error),
        hint="Run `pivot verify --repair`",
    )


def pack_sizes(indexes: Iterable[Index]) -> Mapping[FileName, int]:
    """The size in bytes of every pack that these indexes name."""
    return {pack: size for index in indexes for pack, size in index.packs}
