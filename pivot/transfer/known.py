"""What a remote had when it was last listed, from the copies of its indexes here: no network.

    <cache>/remote.json          {"address": URL, "store": what its pivot-store.json says}
    <cache>/index/<name>.idx     indexes, as the remote has them
    <cache>/tombstones/<name>.json
"""

import os
from collections.abc import Callable

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.content import Content
from pivot.store.entry import FileName
from pivot.store.index import Index, index_key


def cached_names(cache: str) -> set[FileName]:
    """The indexes of which there is a copy."""
    try:
        files = os.listdir(os.path.join(cache, "index"))
    except FileNotFoundError:
        return set()
    names = (FileName.parse(file[:-4]) for file in files if file.endswith(".idx"))
    return {name for name in names if name is not None}


def open_cached(cache: str, name: FileName) -> Index | None:
    """The copy of an index; None where there is none, or a damaged one."""
    try:
        return Index.open(os.path.join(cache, index_key(name)), name)
    except (FileNotFoundError, IntegrityError):
        return None


def obtainable(cache: str) -> Callable[[Content], bool]:
    """A question to the copies of a remote's indexes: did it have this content?

    They are opened at the first question. What they say may be out of date either way.
    """
    opened: list[Index] = []
    is_open = False

    def has(id_: ObjectId) -> bool:
        nonlocal is_open
        if not is_open:
            found = (open_cached(cache, name) for name in sorted(cached_names(cache)))
            opened.extend(index for index in found if index is not None)
            is_open = True
        return any(index.find(id_) is not None for index in opened)

    return lambda content: has(content.recipe or content.id)
