"""From a file to its entries: itself, or its chunks and the recipe that joins them."""

from collections.abc import Callable
from dataclasses import dataclass

from blake3 import blake3

from pivot.errors import PivotError
from pivot.hashing import ObjectId, hash_bytes
from pivot.store.chunking import THRESHOLD, Readable, cut
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe, recipe_id

type Put = Callable[[bytes, Kind], ObjectId]


class TooLargeError(PivotError):
    """A file that is larger than what format 1 can describe."""

    code = "too_large"


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a stream told: its id, its size in bytes, and its recipe if it was cut."""

    id: ObjectId
    size: int
    recipe: ObjectId | None


def identify(data: bytes, kind: Kind) -> ObjectId:
    """The id of an entry's bytes; adds nothing."""
    return recipe_id(data) if kind is Kind.RECIPE else hash_bytes(data)


def split(stream: Readable, put: Put) -> Added:
    """Hand the entries of a file to `put`: itself, or its chunks and then its recipe.

    With `identify` as `put` this tells a file's id and recipe without storing anything.
    """
    head = _read_up_to(stream, THRESHOLD + 1)
    if len(head) <= THRESHOLD:
        return Added(put(head, Kind.DATA), len(head), None)
    hasher = blake3()
    chunks: list[tuple[ObjectId, int]] = []
    for chunk in cut(_Rejoined(head, stream)):
        hasher.update(chunk)
        chunks.append((put(chunk, Kind.DATA), len(chunk)))
    recipe = Recipe(ObjectId(hasher.digest()), sum(n for _, n in chunks), tuple(chunks))
    return Added(recipe.file, recipe.size, put(recipe.encode(), Kind.RECIPE))


def _read_up_to(stream: Readable, size: int) -> bytes:
    """`size` bytes, or fewer at the stream's end."""
    first = stream.read(size)
    if len(first) in (0, size):
        return first
    parts, have = [first], len(first)
    while have < size and (part := stream.read(size - have)):
        parts.append(part)
        have += len(part)
    return b"".join(parts)


class _Rejoined:
    """A stream whose head was read already."""

    def __init__(self, head: bytes, tail: Readable) -> None:
        self._head = memoryview(head)
        self._tail = tail

    def read(self, n: int, /) -> bytes:
        if not self._head.nbytes:
            return self._tail.read(n)
        part, self._head = bytes(self._head[:n]), self._head[n:]
        return part
