"""Trees and recipes that name what a store hasn't.

A store promises that where a tree or recipe is, all that it names is: `Store.holds` relies on it,
and so does whoever overwrites bytes because they are held. Where entries were lost, those that
named them have to go too.
"""

from collections.abc import Callable, Iterable, Iterator

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import ObjectId
from pivot.store.chunking import TREES
from pivot.store.content import Content, ContentType
from pivot.store.contents import stream
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.store import Store
from pivot.store.tree import parse

# Far larger than the first chunk of any tree, and smaller than reading would take long.
_LARGEST_BEGINNING = 4 * TREES.largest
_LINE_BEGINNINGS = (b"f ", b"x ", b"d ")


def dangling(store: Store) -> frozenset[ObjectId]:
    """The trees and recipes of a store of which something is missing, or that can't be read.

    Recipes name data and trees name both, so recipes are decided first. Trees name no trees.
    """
    gone = {id_ for id_ in _ids(store, Kind.RECIPE) if not _has_chunks(store, id_)}
    trees = {id_: _whole(store, id_) for id_ in _ids(store, Kind.TREE)}
    trees |= {id_: _joined(store, id_) for id_ in _ids(store, Kind.RECIPE)
              if id_ not in gone and is_tree(id_, store.recipe(id_), store.read)}  # fmt: skip
    gone |= {id_ for id_, listing in trees.items() if not _has_members(store, listing, gone)}
    return frozenset(gone)


def _ids(store: Store, kind: Kind) -> Iterator[ObjectId]:
    for index in store.indexes:
        for id_, place in index.rows():
            if place.kind is kind:
                yield id_


def _has_chunks(store: Store, id_: ObjectId) -> bool:
    try:
        return all(store.has(chunk) for chunk, _ in store.recipe(id_).chunks)
    except (IntegrityError, MissingDataError):
        return False


def _has_members(store: Store, listing: Iterable[bytes], gone: set[ObjectId]) -> bool:
    """Whether all that a tree names is there and is none of those that are `gone`."""
    try:
        heads = (e.content.recipe or e.content.id for e in parse(listing) if e.content is not None)
        return all(head not in gone and store.has(head) for head in heads)
    except (IntegrityError, MissingDataError):
        return False


def _whole(store: Store, id_: ObjectId) -> Iterator[bytes]:
    yield store.read(id_, Kind.TREE)


def _joined(store: Store, id_: ObjectId) -> Iterator[bytes]:
    for chunk, _ in store.recipe(id_).chunks:
        yield store.read(chunk)


def is_tree(id_: ObjectId, recipe: Recipe, read: Callable[[ObjectId, Kind], bytes]) -> bool:
    """Whether a recipe is that of a tree, which only the hash of all of it tells.

    `read` gives verified entries. Few files begin like a tree, so few are read to their end.
    """
    if not recipe.chunks or recipe.chunks[0][1] > _LARGEST_BEGINNING:
        return False
    if not read(recipe.chunks[0][0], Kind.DATA).startswith(_LINE_BEGINNINGS):
        return False
    content = Content(ContentType.DIRECTORY, recipe.file, recipe.size, id_)
    try:
        for _ in stream(content, read):
            pass
    except IntegrityError:
        return False
    return True
