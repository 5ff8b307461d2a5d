"""A remote: a store behind keys and bytes, known by its listed indexes.

Indexes and tombstones are immutable, so each is fetched once and copied here (see
`pivot.transfer.known`). Nothing on a remote is ever locked: two writers at once make duplicates.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, Self

from pivot.errors import IntegrityError, PivotError
from pivot.hashing import ObjectId
from pivot.store.entry import FileName, PackInfo, Place
from pivot.store.index import Index, index_key
from pivot.store.indexing import index_of
from pivot.store.pack import pack_key
from pivot.transfer import founding, latest, proofs
from pivot.transfer.doomed import Doomed
from pivot.transfer.faults import PackGoneError, translated
from pivot.transfer.indexes import Held, Indexes, replace_hint
from pivot.transfer.known import Copies
from pivot.transfer.latest import Listing
from pivot.transfer.listing import list_both, list_indexes, list_tombstones, settle
from pivot.transfer.merging import merge_indexes
from pivot.transfer.projects import Projects
from pivot.transfer.proofs import Proof
from pivot_remotes.addresses import shown
from pivot_remotes.backend import Backend
from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound, Overlong, RemoteError, Truncated
from pivot_remotes.options import boolean
from pivot_remotes.tracing import Trace

if TYPE_CHECKING:
    from pivot.transfer.sweeping import Sweeping
_PUBLISHED: Final = "latest.json"


class RemoteStore:
    """Another store, spoken to through a backend.

    Making one asks the remote nothing; `open` and those like it do.
    """

    def __init__(
        self, backend: Backend, cache: str, trace: Trace, *, publish: bool = False
    ) -> None:
        """`publish` keeps `index/latest.json` there, for readers that can't list."""
        self.address = backend.address
        self._publish = publish
        self._backend = backend
        self._copies = Copies(cache)
        self._trace = trace
        self._indexes = Indexes(backend, self._copies)
        self._doomed = Doomed(backend, self._copies)
        self.projects = Projects(backend, self._copies)
        self._listed: frozenset[FileName] = frozenset()

    @classmethod
    def at(
        cls,
        url: str,
        options: Mapping[str, str],
        cache: str,
        *,
        allowed: frozenset[str] = frozenset(),
    ) -> Self:
        """The remote at `url`; `cache` is a folder for copies of what it lists, its alone.

        `allowed` are schemes that the user's own configuration adds to the usual ones.
        Raises `UsageError` for a URL or option that can't be used, `DeniedError` without
        credentials. The storage isn't asked yet.
        """
        trace = Trace()
        with translated(shown(url)):
            backend = connect(url, options, trace=trace, allowed=allowed)
            return cls(backend, cache, trace, publish=boolean(options, "publish") or False)

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._trace.counts().requests

    @property
    def part_size(self) -> int | None:
        """Size from which a file is sent in parts, which bounds the memory that takes."""
        return self._backend.capabilities.part_size

    @property
    def has_ranges(self) -> bool:
        """Whether `read` costs about what is read, and not the whole pack."""
        return self._backend.capabilities.ranges

    # -- opening --------------------------------------------------------------------------

    def open(self) -> None:
        """List what it has. Raises `UsageError` where no store is."""
        if not self._is_store():
            raise founding.no_store(self._backend)
        self.load()

    def open_to_write(self) -> None:
        """`open`, but make a store where nothing is. Raises `UsageError` if other things are."""
        self.list_to_write()
        self.load()

    def open_to_compare(self) -> None:
        """`open_to_write`, but nothing is made: where nothing is counts as an empty store."""
        self.list_to_compare()
        self.load()

    def list_to_compare(self, *, tombstones: bool = False) -> bool:
        """`list_to_write`, but nothing is made; whether a store is there."""
        if not self._backend.capabilities.can_write:
            raise founding.read_only(self._backend)
        return self._is_store(tombstones=tombstones) or not self._is_vacant(tombstones=tombstones)

    def list_to_write(self, *, tombstones: bool = False) -> None:
        """List the names of the indexes, and the tombstones too if asked; `load` reads the rest.

        Makes a store where nothing is. Raises `UsageError` where other things are, and for a
        storage that can't be written to.
        """
        if not self._backend.capabilities.can_write:
            raise founding.read_only(self._backend)
        if not self._is_store(tombstones=tombstones) and self._is_vacant(tombstones=tombstones):
            with translated(self.address):
                founding.found(self._backend, self._copies)

    def load(self) -> None:
        """Fetch those of the listed indexes that were not seen yet: a request for each."""
        with translated(self.address):
            try:
                self._listed = settle(
                    self._indexes.take_over, self._listed, lambda: list_indexes(self._backend)
                )
            except NotFound as error:
                if self._backend.capabilities.can_list:
                    raise
                raise latest.outdated(self.address, error.message) from error

    def refresh(self) -> None:
        """List the indexes and fetch those not seen yet: one request, and one for each of them."""
        with translated(self.address):
            self._listed = list_indexes(self._backend)
        self.load()

    def refresh_tombstones(self) -> bool:
        """List the tombstones; whether they name packs that were not named before."""
        with translated(self.address):
            before = self._doomed.packs
            listed = list_tombstones(self._backend)
            settle(self._doomed.take_over, listed, lambda: list_tombstones(self._backend))
            return not self._doomed.packs <= before

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
    def listed(self) -> frozenset[FileName]:
        """The names of all indexes that are there, replaced ones included."""
        return self._listed

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

    def places(self, ids: Iterable[ObjectId]) -> dict[bytes, Place]:
        """Where many entries can be read: what `find` says of each that is there."""
        rest = set[bytes](ids)
        staying: dict[bytes, Place] = {}
        doomed: dict[bytes, Place] = {}
        for index in self.indexes:
            if not rest:
                break
            for id_, row in index.rows_among(rest):
                place = index.place_at(row)
                if place.block.pack not in self._doomed.packs:
                    staying[id_] = place
                elif place.block.pack not in self._doomed.gone:
                    doomed.setdefault(id_, place)
            rest -= staying.keys()
        return doomed | staying

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry is there to stay: what only tombstoned packs hold is not."""
        place = self.find(id_)
        return place is not None and place.block.pack not in self._doomed.packs

    def held(self, ids: Iterable[ObjectId]) -> Held:
        """Which of many entries are there to stay, and in which packs."""
        return self._indexes.held(ids, self._doomed.packs)

    def pack_size(self, pack: FileName) -> int:
        """The size in bytes of a pack that an index names."""
        return self.packs[pack]

    # -- reading --------------------------------------------------------------------------

    def read(self, pack: FileName, start: int, length: int) -> bytes | memoryview:
        """Bytes of a pack. Raises `PackGoneError` where it isn't, or ends before."""
        with self._reading(pack):
            return self._backend.get_range(pack_key(pack), start, length)

    def download(self, pack: FileName, path: str) -> None:
        """A whole pack into the new local file `path`. Raises `PackGoneError`."""
        with self._reading(pack):
            self._backend.get_file(pack_key(pack), path, self.pack_size(pack))

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

    def put_pack(self, data: bytes, name: FileName) -> None:
        """`add_pack` of one that is in memory."""
        with translated(self.address):
            self._backend.put(pack_key(name), data)

    def add_index(self, packs: Collection[PackInfo]) -> None:
        """Make the entries of packs that were sent visible to everyone."""
        self.put_index(*index_of(packs))

    def put_index(self, name: FileName, data: bytes) -> None:
        """`add_index` of one that was made before."""
        with translated(self.address):
            self._backend.put(index_key(name), data)
        self._indexes.add(name, data)
        self._listed |= {name}

    def merge_indexes(self) -> None:
        """Put one index in the place of several of a level, where there are enough; best effort."""
        with contextlib.suppress(RemoteError, PivotError, OSError):
            merge_indexes(self._backend, self._indexes, self._doomed)
            self._listed = self._indexes.names

    def publish(self, *, anew: bool) -> None:
        """Write down what is there, for readers that can't list, if this remote is to do so.

        The tombstones were listed before. With `anew` the indexes are listed once more, since
        others may have added some meanwhile.
        """
        if not self._publish:
            return
        with translated(self.address):
            if anew:
                self._listed = list_indexes(self._backend)
            data = Listing(self._listed, frozenset(self._doomed.stones)).encode()
            if data != self._copies.read(_PUBLISHED) or data != self._published():
                self._backend.put(latest.KEY, data)
                self._copies.keep(_PUBLISHED, data)

    def _published(self) -> bytes | None:
        """What is written down there now: it may be lost, or of another client that knew less."""
        try:
            return self._backend.get(latest.KEY)
        except NotFound:
            return None

    # -- proofs ---------------------------------------------------------------------------

    def proof(self, digest: str) -> Proof | None:
        """What a finished push of these roots to this store relied on, if one is remembered."""
        store = self._copies.store_id(self.address)
        return None if store is None else proofs.recall(self._copies, digest, store.text)

    def prove(self, objects: int, size: int, packs: AbstractSet[FileName]) -> Proof:
        """A proof that entries, so many of so many bytes in all, are here in `packs`."""
        store = self._copies.store_id(self.address)
        indexes = self._indexes.naming_any(packs)
        return Proof("" if store is None else store.text, objects, size, indexes, frozenset(packs))

    def remember(self, digest: str, proof: Proof) -> None:
        """Keep a proof for the roots of this digest."""
        proofs.remember(self._copies, digest, proof)

    def sweeping(self) -> "Sweeping":
        """The verbs of a collection, over what this one knows."""
        from pivot.transfer.sweeping import Sweeping  # noqa: PLC0415 - only a collection needs it

        return Sweeping(self._backend, self._indexes, self._doomed)

    # -- inside ---------------------------------------------------------------------------

    def _is_store(self, *, tombstones: bool = False) -> bool:
        """List what is there; whether it is a store."""
        with translated(self.address):
            remembered = self._copies.store_id(self.address) is not None
            if not remembered and not founding.identify(self._backend, self._copies):
                return False
            self._doomed.recall()
            if tombstones:
                listing = list_both(self._backend)
                self._listed = listing.indexes
                try:
                    self._doomed.take_over(listing.tombstones)
                except NotFound:  # a collection removed one since it was listed
                    self.refresh_tombstones()
            else:
                self._listed = list_indexes(self._backend)
            if not remembered or self._listed:
                return True
            # Where nothing is listed, what was remembered of the place may be over.
            return founding.identify(self._backend, self._copies)

    def _is_vacant(self, *, tombstones: bool) -> bool:
        """Whether nothing is there; a store that another client made meanwhile is listed."""
        with translated(self.address):
            is_vacant = founding.is_vacant(self._backend)
        return is_vacant or not self._is_store(tombstones=tombstones)

    @contextlib.contextmanager
    def _reading(self, pack: FileName) -> Iterator[None]:
        with translated(self.address):
            try:
                yield
            except (NotFound, Overlong, Truncated) as error:
                raise PackGoneError(
                    f"{pack_key(pack)} is not whole in {self.address}",
                    why=error.message,
                    hint=replace_hint(self._indexes.naming(pack)),
                ) from error
