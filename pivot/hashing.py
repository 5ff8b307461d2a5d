"""Ids of content: BLAKE3-256, and the contexts in which Pivot derives other ids.

Source: https://github.com/BLAKE3-team/BLAKE3-specs (derive-key mode keeps ids of different
meaning apart, so no file can be made whose id is a recipe's or a key's).
"""

import json
import os
from collections.abc import Buffer
from typing import Self

from blake3 import blake3

type Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_CANONICAL = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
)

ID_SIZE = 32
READ_SIZE = 1 << 20


class ObjectId(bytes):
    """BLAKE3-256 of an object's uncompressed bytes: 32 bytes, written as 64 hex digits."""

    __slots__ = ()

    def __new__(cls, raw: Buffer) -> Self:
        self = super().__new__(cls, raw)
        if len(self) != ID_SIZE:
            raise ValueError(f"an id has {ID_SIZE} bytes, not {len(self)}")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id written as `text`; raises `ValueError` unless it is 64 lower-case hex digits."""
        if len(text) != 2 * ID_SIZE or text != text.lower():
            raise ValueError(f"not an id: {text[:80]!r}")
        return cls(bytes.fromhex(text))

    @classmethod
    def many(cls, raw: bytes) -> list[Self]:
        """Ids that stand one behind the other; raises `ValueError` where bytes are left over."""
        if len(raw) % ID_SIZE:
            raise ValueError(f"{len(raw)} bytes are no whole ids")
        new = super().__new__
        return [new(cls, raw[at : at + ID_SIZE]) for at in range(0, len(raw), ID_SIZE)]

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"ObjectId({self.hex()!r})"


def hash_bytes(data: Buffer) -> ObjectId:
    """The id of `data`."""
    return ObjectId(blake3(data).digest())


def hash_fd(fd: int) -> ObjectId:
    """The id of what is left to read in an open file; memory use is bounded."""
    hasher = blake3()
    buffer = bytearray(READ_SIZE)
    view = memoryview(buffer)
    while n := os.readv(fd, [buffer]):
        hasher.update(view[:n])
    return ObjectId(hasher.digest())


def derive(context: str, data: Buffer) -> ObjectId:
    """An id that can't be mistaken for the id of any file: BLAKE3 in derive-key mode."""
    return ObjectId(blake3(data, derive_key_context=context).digest())


def derive_json(context: str, value: object) -> ObjectId:
    """`derive` over the compact canonical JSON of `value`.

    Keys are sorted by code point, floats in their shortest form, text is UTF-8. Raises
    `ValueError` for NaN and infinities, and `UnicodeEncodeError` for lone surrogates.
    """
    return derive(context, _CANONICAL.encode(value).encode())
