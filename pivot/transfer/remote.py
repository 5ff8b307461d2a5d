"""A remote: a store behind keys and bytes, known by its listed indexes.

Indexes and tombstones are immutable, so each is fetched once and copied here (see
`pivot.transfer.known`). Nothing on a remote is ever locked: two writers at once make duplicates.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import Index, encode, index_key, rows_of
from pivot.store.pack import pack_key
from pivot.transfer import founding
from pivot.transfer.doomed import Doomed
from pivot.transfer.faults import PackGoneError, translated
from pivot.transfer.indexes import Indexes, replace_hint
from pivot.transfer.known import Copies
from pivot.transfer.listing import list_indexes, list_tombstones
from pivot.transfer.projects import Projects
from pivot.transfer.sweeping import Sweeping
from pivot_remotes.addresses import shown
from pivot_remotes.backend import Backend
from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.tracing import Trace


class RemoteStore:
    """Another store, spoken to through a backend.

    Making one asks the remote nothing; `open` and those like it do.
    """

    def __init__(self, backend: Backend, cache: str, trace: Trace) -> None:
        self.address = backend.address
        self._backend = backend
        self._copies = Copies(cache)
        self._trace = trace
        self._indexes = Indexes(backend, self._copies)
        self._doomed = Doomed(backend, self._copies)
        self.projects = Projects(backend, self._copies)

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

    # -- opening --------------------------------------------------------------------------

    def open(self) -> None:
        """List what it has. Raises `UsageError` where no store is."""
        if not self._is_store():
            raise founding.no_store(self._backend)

    def open_to_write(self) -> None:
        """`open`, but make a store where nothing is. Raises `UsageError` if other things are."""
        if not self._is_store():
            with translated(self.address):
                founding.refuse_other_things(self._backend)
                founding.found(self._backend, self._copies)

    def open_to_compare(self) -> None:
        """`open_to_write`, but nothing is made: where nothing is counts as an empty store."""
        if not self._is_store():
            with translated(self.address):
                founding.refuse_other_things(self._backend)

    def refresh(self) -> None:
        """List the indexes and fetch those not seen yet: one request, and one for each of them."""
        with translated(self.address):
            try:
                self._indexes.take_over(list_indexes(self._backend))
            except NotFound:  # merged away since it was listed
                self._indexes.take_over(list_indexes(self._backend))

    def refresh_tombstones(self) -> bool:
        """List the tombstones; whether they name packs that were not named before."""
        with translated(self.address):
            while True:
                try:
                    return self._doomed.take_over(list_tombstones(self._backend))
                except NotFound:  # a collection put another one in its place since it was listed
                    continue

    # -- what it has ----------------------------------------------------------------------

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The indexes in force."""
        return self._indexes.in_force

    @property
    def packs(self) -> Mapping[FileName, int]:
        """The packs that the indexes name, with their sizes in bytes."""
        return self._indexes.sizes

    @property
    def doomed(self) -> frozenset[FileName]:
        """The packs that tombstones name, as they were last listed."""
        return self._doomed.packs

    def find(self, id_: ObjectId) -> Place | None:
        """Where an entry can be read; a pack that will stay comes before one that won't.

        Rows of packs that were deleted can come back with a merge of indexes: they don't count.
        """
        doomed = None
        for place in self._indexes.places(id_):
            if place.block.pack not in self._doomed.packs:
                return place
            if place.block.pack not in self._doomed.gone:
                doomed = place
        return doomed

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry is there to stay: what only tombstoned packs hold is not."""
        place = self.find(id_)
        return place is not None and place.block.pack not in self._doomed.packs

    def pack_size(self, pack: FileName) -> int:
        """The size in bytes of a pack that an index names."""
        return self.packs[pack]

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
            hint=replace_hint(self._indexes.naming(pack)),
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
        self._indexes.add(name, data)

    def sweeping(self) -> Sweeping:
        """The verbs of a collection, over what this one knows."""
        return Sweeping(self._backend, self._indexes, self._doomed)

    # -- inside ---------------------------------------------------------------------------

    def _is_store(self) -> bool:
        """List what is there; whether it is a store."""
        with translated(self.address):
            remembered = self._copies.store_id(self.address) is not None
            if not remembered and not founding.identify(self._backend, self._copies):
                return False
            self._doomed.recall()
            self.refresh()
            if not remembered or self.indexes:
                return True
            # Where nothing is listed, what was remembered of the place may be over.
            return founding.identify(self._backend, self._copies)

    @contextlib.contextmanager
    def _reading(self, pack: FileName) -> Iterator[None]:
        with translated(self.address):
            try:
                yield
            except (NotFound, Truncated) as error:
                raise PackGoneError(
                    f"{pack_key(pack)} is not whole in {self.address}",
                    why=error.message,
                    hint=replace_hint(self._indexes.naming(pack)),
                ) from error
