"""A remote: a store behind keys and bytes, known by its listed indexes.

Indexes and tombstones are immutable, so each is fetched once and kept in a folder here (see
`pivot.transfer.known`). Nothing on a remote is ever locked: two writers at once make duplicates.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from pivot.errors import IntegrityError, UsageError
from pivot.files import write_atomic
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import Index, encode, index_key, rows_of
from pivot.store.pack import pack_key
from pivot.store.store import STORE_KEY, StoreId
from pivot.transfer import tombstones
from pivot.transfer.faults import PackGoneError, translated
from pivot.transfer.known import cached_names, open_cached
from pivot_remotes.backend import Backend
from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.tracing import Trace

DOWNLOADS = 8
_IDENTITY = "remote.json"


class RemoteStore:
    """Another store, spoken to through a backend.

    Making one asks the remote nothing; `open` (or `open_to_write`) does.
    """

    def __init__(self, backend: Backend, cache: str, trace: Trace) -> None:
        self.address = backend.address
        self._backend = backend
        self._cache = cache
        self._trace = trace
        self._indexes: dict[FileName, Index] = {}
        self._sizes: dict[FileName, int] = {}
        self._tombstones: dict[str, frozenset[FileName]] = {}
        self._doomed: frozenset[FileName] = frozenset()

    @classmethod
    def at(cls, url: str, options: Mapping[str, str], cache: str) -> Self:
        """The remote at `url`; `cache` is a folder for copies of its indexes, of no other remote.

        Raises `UsageError` for a URL or option that can't be used, `DeniedError` without
        credentials. The storage isn't asked yet.
        """
        trace = Trace()
        with translated(url):
            return cls(connect(url, options, trace=trace), cache, trace)

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._trace.counts().requests

    @property
    def part_size(self) -> int | None:
        """Size from which a file is sent in parts, which bounds the memory it takes."""
        return self._backend.capabilities.part_size

    # -- what it has ----------------------------------------------------------------------

    def open(self) -> None:
        """List what it has. Raises `UsageError` where no store is."""
        if not self._identify():
            raise UsageError(
                f"{self.address} holds no Pivot store",
                why=f"it has no {STORE_KEY}",
                hint="Check the URL with `pivot remote list`, or fill it with `pivot push`",
            )
        self._refresh_identified()

    def open_to_write(self) -> None:
        """`open`, and make a store where nothing is. Raises `UsageError` if other things are."""
        if not self._identify():
            self._initialise()
        self._refresh_identified()

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
        listed = self._list_indexes()
        try:
            self._take_over(listed)
        except NotFound:  # merged away since it was listed
            with self._translated():
                self._take_over(self._list_indexes())

    def refresh_tombstones(self) -> bool:
        """List the tombstones; whether packs are named now that were not before."""
        with self._translated():
            keys = [info.key for info in self._backend.list(tombstones.FOLDER)]
        self._drop_copies(tombstones.FOLDER, {os.path.basename(key) for key in keys})
        self._tombstones = {key: self._tombstone(key) for key in keys}
        before, self._doomed = self._doomed, frozenset().union(*self._tombstones.values())
        return not self._doomed <= before

    # -- reading --------------------------------------------------------------------------

    def read(self, pack: FileName, start: int, length: int) -> bytes:
        """Bytes of a pack. Raises `PackGoneError` where it isn't, or ends before."""
        if start + length > self._sizes[pack]:
            raise self._bad_index(pack, "it names bytes beyond the pack's end")
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
        with self._translated():
            self._backend.put_file(pack_key(name), path)

    def add_index(self, packs: Iterable[PackInfo]) -> None:
        """Make the entries of packs that were sent visible to everyone."""
        finished = tuple(packs)
        name = FileName.fresh()
        sizes = {pack.name: pack.size for pack in finished}
        data = encode(name, dict(rows_of(finished)), sizes)
        with self._translated():
            self._backend.put(index_key(name), data)
        self._keep_copy(index_key(name), data)
        self._admit(Index(memoryview(data), name))

    # -- inside ---------------------------------------------------------------------------

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(self.address)

    def _identify(self) -> bool:
        """Whether a store is there, as far as is remembered or the remote says."""
        if self._remembered() is not None:
            return True
        return self._identify_afresh()

    def _identify_afresh(self) -> bool:
        with self._translated():
            try:
                data = self._backend.get(STORE_KEY)
            except NotFound:
                return False
        self._remember(StoreId.decode(data, self.address))
        return True

    def _refresh_identified(self) -> None:
        """`refresh`; where nothing is listed, what was remembered of the place may be over."""
        self._load_tombstones()
        self.refresh()
        if not self._indexes and not self._identify_afresh():
            self._initialise()

    def _initialise(self) -> None:
        with self._translated():
            found = self._backend.list("")
        if found:
            raise UsageError(
                f"{self.address} is no Pivot store, and not empty",
                why=f"it has no {STORE_KEY}, but for example {found[0].key}",
                hint="Name an empty or a new folder: `pivot remote add NAME URL`",
            )
        id_ = StoreId.fresh()
        with self._translated():
            self._backend.put(STORE_KEY, id_.encode())
        self._remember(id_)

    def _remembered(self) -> StoreId | None:
        try:
            with open(os.path.join(self._cache, _IDENTITY), "rb") as file:
                value = json.load(file)
            if value["address"] == self.address:
                return StoreId.decode(json.dumps(value["store"]).encode(), self.address)
        except (OSError, ValueError, KeyError, TypeError, IntegrityError):
            return None  # it is only remembered: asking again is always right
        return None

    def _remember(self, id_: StoreId) -> None:
        value = {"address": self.address, "store": json.loads(id_.encode())}
        self._keep_copy(_IDENTITY, json.dumps(value).encode())

    def _list_indexes(self) -> set[FileName]:
        with self._translated():
            found = self._backend.list("index")
        names = (
            FileName.parse(os.path.basename(info.key).removesuffix(".idx"))
            for info in found
            if info.key.endswith(".idx")
        )
        return {name for name in names if name is not None}

    def _take_over(self, listed: set[FileName]) -> None:
        """Hold exactly the listed indexes, less those that another one replaces."""
        self._drop_copies("index", {os.path.basename(index_key(name)) for name in listed})
        kept = {name: index for name, index in self._indexes.items() if name in listed}
        names = sorted(listed - kept.keys())
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="pivot-indexes") as threads:
            kept.update(zip(names, threads.map(self._open_index, names), strict=True))
        self._indexes, self._sizes = {}, {}
        replaced = {old for index in kept.values() for old in index.replaces}
        for name, index in kept.items():
            if name not in replaced:
                self._admit(index)

    def _admit(self, index: Index) -> None:
        self._indexes[index.name] = index
        self._sizes.update(index.packs)

    def _open_index(self, name: FileName) -> Index:
        """An index from its copy here, or the remote's. Raises `NotFound`, `IntegrityError`."""
        index = open_cached(self._cache, name)
        if index is None:
            data = self._fetch_index(name)
            index = self._checked_index(name, data)
            self._keep_copy(index_key(name), data)
        return index

    def _fetch_index(self, name: FileName) -> bytes:
        try:
            return self._backend.get(index_key(name))
        except NotFound:
            raise
        except Exception:
            raise

    def _checked_index(self, name: FileName, data: bytes) -> Index:
        try:
            return Index(memoryview(data), name)
        except IntegrityError as error:
            raise IntegrityError(
                f"{index_key(name)} of {self.address} is damaged",
                why=error.why,
                hint=f"Delete `{index_key(name)}` there, then run `pivot push` in a clone that "
                "has the data",
            ) from error
