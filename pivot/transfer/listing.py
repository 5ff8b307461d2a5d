"""The names of a remote's small files: listed, or as they were published where none can be."""

from collections.abc import Callable, Iterator
from typing import Final

from pivot.errors import IntegrityError, UsageError
from pivot.store.entry import FileName
from pivot.store.index import index_key
from pivot.transfer.abreast import abreast
from pivot.transfer.latest import KEY, Listing
from pivot.transfer.tombstones import FOLDER, is_tombstone
from pivot_remotes.backend import Backend
from pivot_remotes.errors import NotFound

INDEXES: Final = "index"
# Bytes of a small file. They are held in memory, so what is listed as larger isn't brought; the
# largest index that is written has a quarter of it.
LARGEST: Final = 256 << 20
# What was listed can be gone when it is read: others merge indexes and remove tombstones. So often
# it is listed anew, and so often of those though the listing is still the same, which then names
# what isn't there.
LISTINGS: Final = 100
UNCHANGED: Final = 4


def list_indexes(backend: Backend) -> frozenset[FileName]:
    """The names of all indexes, superseded ones included; files of other names are passed over.

    Raises `UsageError` where the storage can't list and nobody published them, `IntegrityError`
    for one that is larger than any.
    """
    if not backend.capabilities.can_list:
        return _published(backend).indexes
    names = (
        (FileName.parse(key.removeprefix(f"{INDEXES}/").removesuffix(".idx")), key)
        for key in _listed(backend, INDEXES, ".idx")
    )
    return frozenset(name for name, key in names if name is not None and key == index_key(name))


def list_tombstones(backend: Backend) -> frozenset[str]:
    """The keys of all tombstones. Raises as `list_indexes` does."""
    if not backend.capabilities.can_list:
        return _published(backend).tombstones
    return frozenset(key for key in _listed(backend, FOLDER, ".json") if is_tombstone(key))


def _listed(backend: Backend, folder: str, ending: str) -> Iterator[str]:
    for info in backend.list(folder):
        if not info.key.endswith(ending):
            continue
        if info.size > LARGEST:
            raise IntegrityError(
                f"{info.key} in {backend.address} has {info.size} bytes, more than any such file",
                hint=f"Delete `{info.key}` there, or restore it from a backup",
            )
        yield info.key


def list_both(backend: Backend) -> Listing:
    """Both listings, side by side: neither waits for the other's answer."""
    if not backend.capabilities.can_list:
        return _published(backend)
    return Listing(*abreast(lambda: list_indexes(backend), lambda: list_tombstones(backend)))


def settle[Listed](
    take_over: Callable[[Listed], None], listed: Listed, list_anew: Callable[[], Listed]
) -> Listed:
    """Give `take_over` a listing all of which can be read, first `listed`; return the one it took.

    `take_over` raises `NotFound` for what is listed and gone, and so does this if the listing
    stays as it is.
    """
    unchanged = 0
    for _ in range(LISTINGS):
        try:
            take_over(listed)
        except NotFound:
            before, listed = listed, list_anew()
            unchanged += before == listed
            if unchanged == UNCHANGED:
                raise
        else:
            return listed
    take_over(listed)
    return listed


def _published(backend: Backend) -> Listing:
    try:
        data = backend.get(KEY)
    except NotFound as error:
        raise UsageError(
            f"{backend.address} can't be listed, and nobody published what it has",
            why=f"it has no {KEY}",
            hint="Give the remote through which it is written the option `publish = true` in"
            " .pivot/config.toml, then run `pivot push` there",
        ) from error
    return Listing.decode(data, backend.address)
