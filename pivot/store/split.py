"""From a file or tree to its entries: itself, or its chunks and the recipe that joins them."""

from collections.abc import Callable
from typing import NamedTuple

from blake3 import blake3

from pivot.errors import PivotError
from pivot.hashing import ObjectId
from pivot.store.chunking import FILES, TREES, Cutting, Readable, cut
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.tree import CONTEXT as TREE_CONTEXT

type Put = Callable[[bytes, Kind], ObjectId]


class TooLargeError(PivotError):
    """A file that is larger than what format 1 can describe."""

    code = "too_large"


class Added(NamedTuple):
    """What adding a stream told: its id, its size in bytes, and its recipe if it was cut."""

    id: ObjectId
    size: int
    recipe: ObjectId | None


class Form(NamedTuple):
    """What is split: the kind of an entry that stays whole, its hash's context, and how to cut."""

    kind: Kind
    context: str | None
    cutting: Cutting

    def hasher(self) -> blake3:
        """What makes the id of a whole file or tree."""
        return blake3(derive_key_context=self.context) if self.context else blake3()


FILE = Form(Kind.DATA, None, FILES)
TREE = Form(Kind.TREE, TREE_CONTEXT, TREES)


def form_of(content: Content) -> Form:
    """How a content was split."""
    return TREE if content.type is ContentType.DIRECTORY else FILE


def split(stream: Readable, put: Put, form: Form = FILE) -> Added:
    """Hand the entries of a file or tree to `put`: itself, or its chunks and then its recipe.

    With `identify` as `put` this tells an id and recipe without storing anything.
    """
    threshold = form.cutting.threshold
    head = _read_up_to(stream, threshold + 1)
    if len(head) <= threshold:
        return Added(put(head, form.kind), len(head), None)
    hasher = form.hasher()
    chunks: list[tuple[ObjectId, int]] = []
    for chunk in cut(_Rejoined(head, stream), form.cutting):
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
