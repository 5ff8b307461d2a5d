"""What a remote had when it was last listed, from copies here: no network.

    <cache>/remote.json               {"address": URL, "store": what its pivot-store.json says}
    <cache>/index/<name>.idx          indexes, as the remote has them
    <cache>/tombstones/<name>.json    tombstones, likewise
    <cache>/latest.json               what was published last from here
    <cache>/proofs/<digest>.json      what a finished push relied on, see `pivot.transfer.proofs`

All of it can be deleted without loss.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator

from pivot.errors import IntegrityError
from pivot.files import TEMPORARY_PREFIX, lstat, open_regular, refuse_link, write_atomic
from pivot.hashing import ObjectId
from pivot.store.access import file_mode, make_folder
from pivot.store.content import Content
from pivot.store.entry import FileName
from pivot.store.identity import StoreId
from pivot.store.index import Index, index_key

_IDENTITY = "remote.json"


def obtainable(cache: str) -> Callable[[Content], bool]:
    """A question to the copies of a remote's indexes: did it have this content?

    They are opened at the first question. What they say may be out of date either way.
    """
    has = known_entries(cache)
    return lambda content: has(content.recipe or content.id)


def known_entries(cache: str) -> Callable[[ObjectId], bool]:
    """The same question about single entries."""
    opened: list[Index] = []
    is_open = False

    def has(id_: ObjectId) -> bool:
        nonlocal is_open
        if not is_open:
            opened.extend(Copies(cache).indexes())
            is_open = True
        return any(index.find(id_) is not None for index in opened)

    return has


class Copies:
    """A folder of copies of one remote's small files; it is made at the first `keep`."""

    def __init__(self, cache: str) -> None:
        self._cache = cache

    def index(self, name: FileName) -> Index | None:
        """The copy of an index; None where there is none, or a damaged one."""
        try:
            return Index.open(os.path.join(self._cache, index_key(name)), name)
        except (FileNotFoundError, IntegrityError):
            return None

    def indexes(self) -> Iterator[Index]:
        """All copies of indexes that can be read."""
        for file in self.names("index"):
            name = FileName.parse(file.removesuffix(".idx"))
            index = None if name is None else self.index(name)
            if index is not None:
                yield index

    def names(self, folder: str) -> list[str]:
        """The names of the copies in a folder."""
        try:
            found = os.listdir(os.path.join(self._cache, folder))
        except FileNotFoundError:
            return []
        return sorted(name for name in found if not name.startswith(TEMPORARY_PREFIX))

    def newest(self, folder: str) -> list[str]:
        """The names of the copies in a folder, the one that was kept last first."""
        path = os.path.join(self._cache, folder)
        found = [(lstat(os.path.join(path, name)), name) for name in self.names(folder)]
        return [
            name
            for _, name in sorted(
                ((stat.mtime_ns, name) for stat, name in found if stat is not None), reverse=True
            )
        ]

    def read(self, key: str) -> bytes | None:
        """The copy of an object; None where there is none."""
        try:
            with open(open_regular(os.path.join(self._cache, key)), "rb") as file:
                return file.read()
        except (FileNotFoundError, IntegrityError):
            return None

    def keep(self, key: str, data: bytes) -> None:
        """Copy an object, replacing what was there."""
        path = os.path.join(self._cache, key)
        store = os.path.dirname(os.path.dirname(self._cache))
        for folder in (self._cache, os.path.dirname(path)):
            make_folder(store, folder)
            refuse_link(folder)
        write_atomic(path, data, sync=False, mode=file_mode(store), exact=True)

    def drop(self, key: str) -> None:
        """Remove a copy; none there is fine."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._cache, key))

    def store_id(self, address: str) -> StoreId | None:
        """What is remembered of the store at `address`; None for another place's memory."""
        try:
            value = json.loads(self.read(_IDENTITY) or b"null")
            if value is None or value["address"] != address:
                return None
            return StoreId.decode(json.dumps(value["store"]).encode(), address)
        except (ValueError, KeyError, TypeError, RecursionError, IntegrityError):
            return None

    def remember(self, address: str, id_: StoreId) -> None:
        """Keep which store is at `address`, so that it needn't be asked again."""
        value = {"address": address, "store": json.loads(id_.encode())}
        self.keep(_IDENTITY, json.dumps(value).encode())
