"""What restoring contents needs, told in the plainest way."""

from pivot.store.content import ContentType


def closure(store, contents):
    """The ids of all trees, recipes, chunks and files."""
    needed = set()
    for content in contents:
        if content.type is ContentType.DIRECTORY:
            members = (entry.content for entry in store.tree(content))
            needed |= closure(store, (member for member in members if member is not None))
        needed.add(content.recipe or content.id)
        if content.recipe is not None:
            needed |= {id_ for id_, _ in store.recipe(content.recipe).chunks}
    return needed
