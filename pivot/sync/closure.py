"""Everything that restoring contents needs, found level by level: trees, recipes, chunks, files.

A level is asked for before it is read, so a fetch can bring it in a few requests, and a push can
tell what is absent. Directories hold no directories, so there are four levels.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType
from pivot.store.contents import tree
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe

type Read = Callable[[ObjectId, Kind], bytes]
# Makes entries readable where that is possible, and returns those that aren't.
type Obtain = Callable[[Collection[ObjectId]], Collection[ObjectId]]
type Needed = dict[ObjectId, RepoPath]


@dataclass(frozen=True, slots=True)
class Closure:
    """The entries that paths need; each with a path that needs it.

    Attributes:
        leaves: small files and chunks of files, which refer to nothing.
        listings: chunks of the listings of directories that were cut. They are apart since they
            are wanted before all leaves are known, so they should lie side by side.
        recipes: of files in leaves.
        trees: listings of directories, or the recipes of those that were cut.
        absent: recipes and trees that couldn't be read; what they refer to isn't known.
    """

    leaves: Needed = field(default_factory=dict)
    listings: Needed = field(default_factory=dict)
    recipes: Needed = field(default_factory=dict)
    trees: Needed = field(default_factory=dict)
    absent: Needed = field(default_factory=dict)

    @property
    def groups(self) -> tuple[Needed, ...]:
        """What is known, each group referring to earlier ones only."""
        return self.leaves, self.listings, self.recipes, self.trees

    def __iter__(self) -> Iterator[ObjectId]:
        for group in self.groups:
            yield from group


def walk(roots: Mapping[RepoPath, Content], read: Read, obtain: Obtain) -> Closure:
    """The closure of `roots`. Raises `IntegrityError` for a tree or recipe that is malformed."""
    closure = Closure()
    directories: dict[ObjectId, tuple[RepoPath, Content]] = {}
    for path, content in roots.items():
        if content.type is ContentType.DIRECTORY:
            directories.setdefault(content.recipe or content.id, (path, content))
        else:
            _add_file(closure, path, content)
    closure.trees.update((head, path) for head, (path, _) in directories.items())
    _drop(closure, closure.trees, obtain)
    _read_trees(closure, directories, read, obtain)
    _drop(closure, closure.recipes, obtain)
    for recipe, path in closure.recipes.items():
        _add_chunks(closure.leaves, closure, recipe, path, read)
    return closure


def _read_trees(
    closure: Closure,
    directories: Mapping[ObjectId, tuple[RepoPath, Content]],
    read: Read,
    obtain: Obtain,
) -> None:
    cut = [head for head in closure.trees if directories[head][1].recipe is not None]
    chunks: dict[ObjectId, Collection[ObjectId]] = {
        head: _add_chunks(closure.listings, closure, head, closure.trees[head], read)
        for head in cut
    }
    lost = frozenset(obtain([id_ for ids in chunks.values() for id_ in ids])) if chunks else ()
    for head, path in tuple(closure.trees.items()):
        if any(id_ in lost for id_ in chunks.get(head, ())):
            closure.absent[head] = closure.trees.pop(head)
            continue
        for entry in tree(directories[head][1], read):
            if entry.content is not None:
                _add_file(closure, path, entry.content)


def _add_file(closure: Closure, path: RepoPath, content: Content) -> None:
    if content.recipe is None:
        _add_once(closure.leaves, closure, content.id, path)
    else:
        closure.recipes.setdefault(content.recipe, path)


def _add_chunks(
    group: Needed, closure: Closure, recipe: ObjectId, path: RepoPath, read: Read
) -> tuple[ObjectId, ...]:
    ids = tuple(id_ for id_, _ in Recipe.decode(read(recipe, Kind.RECIPE)).chunks)
    for id_ in ids:
        _add_once(group, closure, id_, path)
    return ids


def _add_once(group: Needed, closure: Closure, id_: ObjectId, path: RepoPath) -> None:
    """Add what is in neither group of data yet: a file can be what a listing's chunk is."""
    if id_ not in closure.leaves and id_ not in closure.listings:
        group[id_] = path


def _drop(closure: Closure, group: Needed, obtain: Obtain) -> None:
    """Move what can't be read from `group` to `absent`."""
    for id_ in obtain(group) if group else ():
        closure.absent[id_] = group.pop(id_)
