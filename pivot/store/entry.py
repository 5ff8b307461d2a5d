"""Entries and blocks: what packs hold, and where indexes say it is.

There are as many of these as there are files, so they are tuples: made in a third of the time that
a dataclass takes, and hashed without a call.
"""

import os
from collections.abc import Buffer
from enum import IntEnum
from typing import NamedTuple, Self

from blake3 import blake3

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId, derive, hash_bytes
from pivot.store.codec import Codec
from pivot.store.recipe import CONTEXT as RECIPE_CONTEXT
from pivot.store.tree import CONTEXT as TREE_CONTEXT

NAME_SIZE = 16


class Kind(IntEnum):
    """`DATA`: a small file, or a chunk. `RECIPE`: how to put what was cut together.

    `TREE`: the listing of a directory. Ids of recipes and trees are derived in contexts of their
    own, so that no file's bytes can be taken for either.
    """

    DATA = 0
    RECIPE = 1
    TREE = 2


_CONTEXTS = {Kind.RECIPE: RECIPE_CONTEXT, Kind.TREE: TREE_CONTEXT}


def identify(data: Buffer, kind: Kind) -> ObjectId:
    """The id of an entry's bytes."""
    context = _CONTEXTS.get(kind)
    return hash_bytes(data) if context is None else derive(context, data)


class FileName(bytes):
    """The random name of a pack or an index: 16 bytes, never used twice."""

    __slots__ = ()

    @classmethod
    def fresh(cls) -> Self:
        return cls(os.urandom(NAME_SIZE))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The name written in a file's name; None for files of another kind."""
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            return None
        return cls(raw) if len(raw) == NAME_SIZE and raw.hex() == text else None

    def __str__(self) -> str:
        return self.hex()


class Entry(NamedTuple):
    """An entry of a block: `size` uncompressed bytes that `id` verifies."""

    id: ObjectId
    kind: Kind
    size: int


class BlockPlace(NamedTuple):
    """Where a block's payload is: `stored` bytes from `offset` of the pack, `raw` when opened."""

    pack: FileName
    offset: int
    stored: int
    raw: int
    codec: Codec


class Place(NamedTuple):
    """Where an entry is: its block, and its bytes in the opened block."""

    block: BlockPlace
    offset: int
    size: int
    kind: Kind


class PackedBlock(NamedTuple):
    """A block that was written, with its entries in order."""

    place: BlockPlace
    entries: tuple[Entry, ...]


class PackInfo(NamedTuple):
    """A finished pack: its name, its file's size in bytes, its blocks."""

    name: FileName
    size: int
    blocks: tuple[PackedBlock, ...]


def verify(id_: ObjectId, kind: Kind, data: Buffer) -> None:
    """Raise `IntegrityError` unless `data` is what `id_` says."""
    found = blake3(data).digest() if kind is Kind.DATA else identify(data, kind)
    if found != id_:
        raise IntegrityError(
            f"stored bytes of {id_.hex()[:12]} are damaged",
            why=f"their hash is {found.hex()[:12]}",
        )
