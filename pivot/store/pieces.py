"""The bytes of a file that was cut, for whoever makes nothing of them visible before the end.

They are hashed once, as the file, and not chunk by chunk as well: only if that fails each chunk is
looked at, to tell what is damaged.
"""

from collections.abc import Iterator

from blake3 import blake3

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.contents import recipe_of
from pivot.store.recipe import Recipe
from pivot.store.store import Store

_PIECE = 2 << 20


def pieces(store: Store, content: ObjectId, recipe_id: ObjectId) -> Iterator[list[bytes]]:
    """The chunks of the file `content`, in order, some at a time.

    Raises `IntegrityError` where they don't make it, which may only be known after the last one;
    `MissingDataError` where one isn't in the store.
    """
    recipe = recipe_of(content, recipe_id, store.read)
    hasher = blake3()
    piece: list[bytes] = []
    size = 0
    for id_, length in recipe.chunks:
        chunk = store.read_unverified(id_)
        if len(chunk) != length:
            raise _damaged(store, content, recipe)
        hasher.update(chunk)
        piece.append(chunk)
        size += length
        if size >= _PIECE:
            yield piece
            piece, size = [], 0
    if hasher.digest() != content:
        raise _damaged(store, content, recipe)
    yield piece


def _damaged(store: Store, content: ObjectId, recipe: Recipe) -> IntegrityError:
    """What is wrong: a chunk, which raises, or else the recipe, whose chunks are as it says."""
    for id_, length in recipe.chunks:
        if len(store.read(id_)) != length:
            return IntegrityError(f"chunk {id_.hex()[:12]} has another size than its recipe says")
    return IntegrityError(f"object {content.hex()[:12]} is not what its recipe makes")
