"""Recipes: how to put a file together that was cut into chunks.

Layout (little-endian): the file's id (32 bytes), its size (u64), then for each chunk its id
(32 bytes) and size (u32). A recipe's own id is BLAKE3 of these bytes in derive-key mode with the
context `pivot recipe 1`, so a recipe can be verified alone and never be mistaken for a file.
"""

import struct
from typing import NamedTuple, Self

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId, derive

CONTEXT = "pivot recipe 1"
_HEAD = struct.Struct("<32sQ")
_CHUNK = struct.Struct("<32sI")


class Recipe(NamedTuple):
    """The chunks of a file, in order, as (id, size in bytes)."""

    file: ObjectId
    size: int
    chunks: tuple[tuple[ObjectId, int], ...]

    def encode(self) -> bytes:
        head = _HEAD.pack(self.file, self.size)
        return head + b"".join(_CHUNK.pack(id_, size) for id_, size in self.chunks)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a recipe; raises `IntegrityError` if its parts don't add up."""
        if len(data) < _HEAD.size or (len(data) - _HEAD.size) % _CHUNK.size:
            raise IntegrityError("a recipe has an impossible length")
        file, size = _HEAD.unpack_from(data)
        chunks = tuple(
            (ObjectId(id_), length) for id_, length in _CHUNK.iter_unpack(data[_HEAD.size :])
        )
        if sum(length for _, length in chunks) != size:
            raise IntegrityError("a recipe's chunks don't add up to its file's size")
        return cls(ObjectId(file), size, chunks)


def recipe_id(encoded: bytes) -> ObjectId:
    """The id of a recipe's bytes."""
    return derive(CONTEXT, encoded)
