"""The names of a remote's small files: listed, or as they were published where none can be."""

import os
from typing import Final

from pivot.errors import UsageError
from pivot.store.entry import FileName
from pivot.transfer.abreast import abreast
from pivot.transfer.latest import KEY, Listing
from pivot.transfer.tombstones import FOLDER
from pivot_remotes.backend import Backend
from pivot_remotes.errors import NotFound

INDEXES: Final = "index"


def list_indexes(backend: Backend) -> frozenset[FileName]:
    """The names of all indexes, superseded ones included; files of other names are passed over.

    Raises `UsageError` where the storage can't list and nobody published them.
    """
    if not backend.capabilities.can_list:
        return _published(backend).indexes
    keys = (info.key for info in backend.list(INDEXES))
    names = (
        FileName.parse(os.path.basename(key).removesuffix(".idx"))
        for key in keys
        if key.endswith(".idx")
    )
    return frozenset(name for name in names if name is not None)


def list_tombstones(backend: Backend) -> frozenset[str]:
    """The keys of all tombstones. Raises as `list_indexes` does."""
    if not backend.capabilities.can_list:
        return _published(backend).tombstones
    return frozenset(info.key for info in backend.list(FOLDER))


def list_both(backend: Backend) -> Listing:
    """Both listings, side by side: neither waits for the other's answer."""
    if not backend.capabilities.can_list:
        return _published(backend)
    return Listing(*abreast(lambda: list_indexes(backend), lambda: list_tombstones(backend)))


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
