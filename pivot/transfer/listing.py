"""The names of a remote's small files, as a listing tells them."""

import os
from typing import Final

from pivot.store.entry import FileName
from pivot.transfer.tombstones import FOLDER
from pivot_remotes.backend import Backend

INDEXES: Final = "index"


def list_indexes(backend: Backend) -> frozenset[FileName]:
    """The names of all indexes, superseded ones included; files of other names are passed over."""
    keys = (info.key for info in backend.list(INDEXES))
    names = (
        FileName.parse(os.path.basename(key).removesuffix(".idx"))
        for key in keys
        if key.endswith(".idx")
    )
    return frozenset(name for name in names if name is not None)


def list_tombstones(backend: Backend) -> frozenset[str]:
    """The keys of all tombstones."""
    return frozenset(info.key for info in backend.list(FOLDER))
