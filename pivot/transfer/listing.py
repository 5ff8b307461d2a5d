"""The names of a remote's small files: listed, or as they were published where none can be."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pivot.errors import UsageError
from pivot.store.entry import FileName
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
    with ThreadPoolExecutor(1, thread_name_prefix="pivot-listing") as thread:
        tombstones = thread.submit(list_tombstones, backend)
        return Listing(list_indexes(backend), tombstones.result())


def _published(backend: Backend) -> Listing:
    try:
        data = backend.get(KEY)
    except NotFound as error:
        raise UsageError(
            f"{backend.address} can't be listed, and nobody published what it has",
            why=f"it has no {KEY}",
            hint="Where it is written to, run `pivot config set remotes.NAME.publish true`,"
            " and then `pivot push`",
        ) from error
    return Listing.decode(data, backend.address)
