"""A remote: a store behind keys and bytes, known by its listed indexes.

Indexes and tombstones are immutable, so each is fetched once and copied here (see
`pivot.transfer.known`). Nothing on a remote is ever locked: two writers at once make duplicates.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from pivot.errors import IntegrityError, UsageError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import Index, encode, index_key, rows_of
from pivot.store.pack import pack_key
from pivot.store.store import STORE_KEY, StoreId
from pivot.transfer import tombstones
from pivot.transfer.faults import PackGoneError, translated
from pivot.transfer.known import Copies
from pivot_remotes.addresses import shown
from pivot_remotes.backend import Backend
from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.tracing import Trace

DOWNLOADS = 8


class RemoteStore:
    """Another store, spoken to through a backend.

    Making one asks the remote nothing; `open` and those like it do.
    """

    def __init__(self, backend: Backend, cache: str, trace: Trace) -> None:
        self.address = backend.address
        self._backend = backend
        self._copies = Copies(cache)
        self._trace = trace
        self._indexes: dict[FileName, Index] = {}
        self._sizes: dict[FileName, int] = {}
        self._doomed: frozenset[FileName] = frozenset()

    @classmethod
    def at(cls, url: str, options: Mapping[str, str], cache: str) -> Self:
        """The remote at `url`; `cache` is a folder for copies of what it lists, its alone.

        Raises `UsageError` for a URL or option that can't be used, `DeniedError` without
        credentials. The storage isn't asked yet.
        """
        trace = Trace()
        with translated(shown(url)):
            return cls(connect(url, options, trace=trace), cache, trace)

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._trace.counts().requests

    @property
    def part_size(self) -> int | None:
        """Size from which a file is sent in parts, which bounds the memory that takes."""
        return self._backend.capabilities.part_size

    # -- what it has ----------------------------------------------------------------------

    def open(self) -> None:
        """List what it has. Raises `UsageError` where no store is."""
        if not self._is_store():
            raise UsageError(
                f"{self.address} holds no Pivot store",
                why=f"it has no {STORE_KEY}",
                hint="Check the URL with `pivot remote list`, or fill it with `pivot push`",
            )

    def open_to_write(self) -> None:
        """`open`, but make a store where nothing is. Raises `UsageError` if other things are."""
        if not self._is_store():
            self._refuse_other_things()
            self._initialise()

    def open_to_compare(self) -> None:
        """`open_to_write`, but nothing is made: where nothing is counts as an empty store."""
        if not self._is_store():
            self._refuse_other_things()

    def find(self, id_: ObjectId) -> Place | None:
        """Where an entry can be read; a pack that will stay comes before one that won't."""
        doomed = None
        for index in self._indexes.values():
            place = index.find(id_)
            if place is not None:
                if place.block.pack not in self._doomed:
                    return place
                doomed = place
        return doomed

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry is there to stay: what only tombstoned packs hold is not."""
        place = self.find(id_)
        return place is not None and place.block.pack not in self._doomed

    def pack_size(self, pack: FileName) -> int:
        """The size in bytes of a pack that an index names."""
        return self._sizes[pack]

    def refresh(self) -> None:
        """List the indexes and fetch those not seen yet: one request, and one for each of them."""
        with translated(self.address):
            try:
                self._take_over(self._list_indexes())
            except NotFound:  # merged away since it was listed
                self._take_over(self._list_indexes())

    def refresh_tombstones(self) -> bool:
        """List the tombstones; whether they name packs that were not named before."""
        with translated(self.address):
            keys = {info.key for info in self._backend.list(tombstones.FOLDER)}
            found = [self._tombstone(key) for key in sorted(keys)]
        for name in self._copies.names(tombstones.FOLDER):
            if (key := f"{tombstones.FOLDER}/{name}") not in keys:
                self._copies.drop(key)
        before, self._doomed = self._doomed, frozenset[FileName]().union(*found)
        return not self._doomed <= before

    # -- reading --------------------------------------------------------------------------

    def read(self, pack: FileName, start: int, length: int) -> bytes:
        """Bytes of a pack. Raises `PackGoneError` where it isn't, or ends before."""
        with self._reading(pack):
            return self._backend.get_range(pack_key(pack), start, length)

    def download(self, pack: FileName, path: str) -> None:
        """A whole pack into the new local file `path`. Raises `PackGoneError`."""
        with self._reading(pack):
            self._backend.get_file(pack_key(pack), path)

    def damaged(self, pack: FileName, error: IntegrityError) -> IntegrityError:
        """`error`, found in bytes of `pack`, as it is told to the user."""
        return IntegrityError(
            f"{error.message}, in {pack_key(pack)} of {self.address}",
            why=error.why,
            hint=self._cure(pack),
        )

    # -- writing --------------------------------------------------------------------------

    def add_pack(self, path: str, name: FileName) -> None:
        """Send a finished pack; no reader knows it until an index names it."""
        with translated(self.address):
            self._backend.put_file(pack_key(name), path)

    def add_index(self, packs: Iterable[PackInfo]) -> None:
        """Make the entries of packs that were sent visible to everyone."""
        finished = tuple(packs)
        name = FileName.fresh()
        sizes = {pack.name: pack.size for pack in finished}
        data = encode(name, dict(rows_of(finished)), sizes)
        with translated(self.address):
            self._backend.put(index_key(name), data)
        self._copies.keep(index_key(name), data)
        self._admit(Index(memoryview(data), name))

    # -- opening --------------------------------------------------------------------------

    def _is_store(self) -> bool:
        """List what is there; whether it is a store."""
        remembered = self._copies.store_id(self.address) is not None
        if not remembered and not self._identify():
            return False
        self._doomed = frozenset[FileName]().union(*self._known_tombstones())
        self.refresh()
        # Where nothing is listed, what was remembered of the place may be over.
        return not remembered or bool(self._indexes) or self._identify()

    def _identify(self) -> bool:
        with translated(self.address):
            try:
                data = self._backend.get(STORE_KEY)
            except NotFound:
                return False
        self._copies.remember(self.address, StoreId.decode(data, self.address))
        return True

    def _refuse_other_things(self) -> None:
        with translated(self.address):
            found = self._backend.list("")
        if found:
            raise UsageError(
                f"{self.address} is not empty and no Pivot store",
                why=f"it has no {STORE_KEY}, but for example {found[0].key}",
                hint="Name an empty or new folder with `pivot remote add NAME URL`",
            )

    def _initialise(self) -> None:
        id_ = StoreId.fresh()
        with translated(self.address):
            self._backend.put(STORE_KEY, id_.encode())
        self._copies.remember(self.address, id_)

    # -- indexes --------------------------------------------------------------------------

    def _list_indexes(self) -> set[FileName]:
        keys = (info.key for info in self._backend.list("index"))
        names = (
            FileName.parse(os.path.basename(key).removesuffix(".idx"))
            for key in keys
            if key.endswith(".idx")
        )
        return {name for name in names if name is not None}

    def _take_over(self, listed: set[FileName]) -> None:
        """Hold exactly the listed indexes, less those that another one replaces."""
        files = {os.path.basename(index_key(name)) for name in listed}
        for file in self._copies.names("index"):
            if file not in files:
                self._copies.drop(f"index/{file}")
        fresh = sorted(listed - self._indexes.keys())
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="pivot-indexes") as threads:
            opened = dict(zip(fresh, threads.map(self._open_index, fresh), strict=True))
        opened.update((n, index) for n, index in self._indexes.items() if n in listed)
        replaced = {old for index in opened.values() for old in index.replaces}
        self._indexes, self._sizes = {}, {}
        for name, index in opened.items():
            if name not in replaced:
                self._admit(index)

    def _admit(self, index: Index) -> None:
        self._indexes[index.name] = index
        self._sizes.update(index.packs)

    def _open_index(self, name: FileName) -> Index:
        """An index from its copy here, or from the remote, whose bytes are checked before use."""
        index = self._copies.index(name)
        if index is not None:
            return index
        key = index_key(name)
        data = self._backend.get(key)
        try:
            index = Index(memoryview(data), name)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key} of {self.address} is damaged", why=error.why, hint=_replace_hint(key)
            ) from error
        self._copies.keep(key, data)
        return index

    # -- tombstones and packs -------------------------------------------------------------

    def _known_tombstones(self) -> Iterator[frozenset[FileName]]:
        for name in self._copies.names(tombstones.FOLDER):
            key = f"{tombstones.FOLDER}/{name}"
            data = self._copies.read(key)
            if data is not None:
                with contextlib.suppress(IntegrityError):  # the next listing mends it
                    yield tombstones.decode(data, key, self.address)

    def _tombstone(self, key: str) -> frozenset[FileName]:
        data = self._copies.read(key)
        if data is not None:
            with contextlib.suppress(IntegrityError):
                return tombstones.decode(data, key, self.address)
        data = self._backend.get(key)
        packs = tombstones.decode(data, key, self.address)
        self._copies.keep(key, data)
        return packs

    @contextlib.contextmanager
    def _reading(self, pack: FileName) -> Iterator[None]:
        with translated(self.address):
            try:
                yield
            except (NotFound, Truncated) as error:
                raise PackGoneError(
                    f"{pack_key(pack)} is not whole in {self.address}",
                    why=error.message,
                    hint=self._cure(pack),
                ) from error

    def _cure(self, pack: FileName) -> str:
        names = (i.name for i in self._indexes.values() if pack in dict(i.packs))
        return _replace_hint(index_key(next(names)))


def _replace_hint(key: str) -> str:
    """What sends entries again: a push relies on what the listed indexes say."""
    return f"Delete `{key}` there, then run `pivot push` in a clone that has the data"
