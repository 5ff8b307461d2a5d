"""Contents as streams: a file's or tree's bytes, a directory's entries.

Put together from entries that a store or a fetch gives, and checked against what was declared.
"""

from collections.abc import Callable, Iterator

from pivot.errors import IntegrityError
from pivot.hashing import ObjectId
from pivot.store.content import Content
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.split import form_of
from pivot.store.tree import TreeEntry, parse

# Gives an entry's bytes, verified.
type Read = Callable[[ObjectId, Kind], bytes]


def stream(content: Content, read: Read) -> Iterator[bytes]:
    """The bytes of a file or tree, entry by entry; `read` gives verified entries.

    Raises `IntegrityError` if a recipe is not for this content, which for a recipe that lies may
    only be known at the end: nothing may be made visible before.
    """
    if content.recipe is None:
        yield read(content.id, form_of(content).kind)
        return
    recipe = recipe_of(content.id, content.recipe, read)
    hasher = form_of(content).hasher()
    for chunk in _chunks(recipe, read):
        hasher.update(chunk)
        yield chunk
    if hasher.digest() != content.id:  # a recipe's chunks can be true, and its claim a lie
        raise IntegrityError(f"object {content.id.hex()[:12]} is not what its recipe makes")


def recipe_of(id_: ObjectId, recipe_id: ObjectId, read: Read) -> Recipe:
    """The recipe of the file or tree `id_`. Raises `IntegrityError` if it is another one's."""
    recipe = Recipe.decode(read(recipe_id, Kind.RECIPE))
    if recipe.file != id_:
        raise IntegrityError(f"recipe {recipe_id.hex()[:12]} belongs to another file")
    return recipe


def _chunks(recipe: Recipe, read: Read) -> Iterator[bytes]:
    for id_, size in recipe.chunks:
        chunk = read(id_, Kind.DATA)
        if len(chunk) != size:
            raise IntegrityError(f"chunk {id_.hex()[:12]} has another size than its recipe says")
        yield chunk


def tree(content: Content, read: Read) -> Iterator[TreeEntry]:
    """The entries of a directory, verified and checked; `read` gives verified entries.

    Raises `IntegrityError` if they don't amount to the size and number of files that the content
    declares, as soon as they exceed them.
    """
    size = files = 0
    for entry in parse(stream(content, read)):
        if entry.content is not None:
            size += entry.content.size
            files += 1
        if size > content.size or files > (content.files or 0):
            raise _miscounted(content)
        yield entry
    if (size, files) != (content.size, content.files):
        raise _miscounted(content)


def _miscounted(content: Content) -> IntegrityError:
    return IntegrityError(
        f"directory {content.id.hex()[:12]} has other sizes than were declared",
        why=f"it should have {content.files} files of {content.size} bytes together",
    )
