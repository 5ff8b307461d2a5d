"""Everything that contents need of a remote, for a collection: ids, whatever it is that names them.

Listings are read by chunk, each once: another version of a large directory costs the chunks in
which it differs. A level is asked for before it is read, so that it comes in a few requests.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from pivot.errors import IntegrityError
from pivot.hashing import ID_SIZE, ObjectId
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe

type Has = Callable[[ObjectId, Kind], bool]
type Read = Callable[[ObjectId, Kind], bytes]
# Makes entries that the remote has readable.
type Obtain = Callable[[Collection[ObjectId]], None]


@dataclass(frozen=True, slots=True)
class Needs:
    """Ids of all entries that the remote has of contents; `absent` it has not, or not whole."""

    ids: frozenset[ObjectId]
    absent: frozenset[Content]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A listing's chunk: what is left of it once its whole lines were read, and what they need.

    `head` are the bytes up to the first line's end, `tail` those after the last one's; without a
    line's end all is `head` and `tail` is None. `whole`: whether the files that weren't cut are
    there; `recipes` are those of the others.
    """

    head: bytes
    tail: bytes | None
    whole: bool
    recipes: frozenset[ObjectId]


def find_needs(contents: Iterable[Content], has: Has, read: Read, obtain: Obtain) -> Needs:
    """What `contents` need of a remote that `has` entries; `obtain` is called before `read`.

    Where a listing or recipe isn't there, what it names isn't needed: a push would send it again.
    Raises `IntegrityError` for one that can't be read: what it names can't be told.
    """
    return _Search(has, read, obtain).run(tuple(dict.fromkeys(contents)))


class _Search:
    def __init__(self, has: Has, read: Read, obtain: Obtain) -> None:
        self._has = has
        self._read = read
        self._obtain = obtain
        self._ids: set[ObjectId] = set()
        self._pieces: dict[ObjectId, _Piece] = {}
        # Of each recipe its chunks; None where it isn't there.
        self._chunks: dict[ObjectId, tuple[ObjectId, ...] | None] = {}

    def run(self, contents: tuple[Content, ...]) -> Needs:
        folders = [c for c in contents if c.type is ContentType.DIRECTORY]
        files = [c for c in contents if c.type is not ContentType.DIRECTORY]
        self._add_recipes([c.recipe for c in folders if c.recipe is not None])
        heads = [c.id for c in folders if c.recipe is None and self._has(c.id, Kind.TREE)]
        self._obtain(list({*heads, *self._listing_chunks(folders)}))
        needs = {c: self._add_listing(c) for c in folders}
        for c in files:
            needs[c] = self._add_file(c.id, c.recipe)
        self._add_recipes([r for _, recipes in needs.values() for r in recipes])
        absent = {
            c
            for c, (whole, recipes) in needs.items()
            if not (whole and all(self._is_whole(r) for r in recipes))
        }
        return Needs(frozenset(self._ids), frozenset(absent))

    def _listing_chunks(self, folders: Iterable[Content]) -> set[ObjectId]:
        recipes = {c.recipe for c in folders if c.recipe is not None}
        chunks = {id_ for recipe in recipes for id_ in self._chunks[recipe] or ()}
        return {id_ for id_ in chunks if self._has(id_, Kind.DATA)}

    def _add_recipes(self, recipes: Collection[ObjectId]) -> None:
        """Need these recipes, and the chunks that they name."""
        fresh = [r for r in dict.fromkeys(recipes) if r not in self._chunks]
        there = [r for r in fresh if self._add(r, Kind.RECIPE)]
        self._obtain(there)
        self._chunks.update(dict.fromkeys(fresh))
        for recipe in there:
            chunks = Recipe.decode(self._read(recipe, Kind.RECIPE)).chunks
            self._chunks[recipe] = tuple(id_ for id_, _ in chunks if self._add(id_, Kind.DATA))
            if len(self._chunks[recipe] or ()) < len(chunks):
                self._chunks[recipe] = None

    def _is_whole(self, recipe: ObjectId) -> bool:
        return self._chunks[recipe] is not None

    def _add(self, id_: ObjectId, kind: Kind) -> bool:
        """Need an entry; whether it is there."""
        if not self._has(id_, kind):
            return False
        self._ids.add(id_)
        return True

    def _add_file(self, id_: ObjectId, recipe: ObjectId | None) -> tuple[bool, frozenset[ObjectId]]:
        """Need a file: whether it is there, unless recipes have to tell."""
        if recipe is None:
            return self._add(id_, Kind.DATA), frozenset()
        return True, frozenset({recipe})

    def _add_listing(self, content: Content) -> tuple[bool, frozenset[ObjectId]]:
        """Need a directory and its files."""
        if content.recipe is None:
            if not self._add(content.id, Kind.TREE):
                return False, frozenset()
            pieces = [self._piece(content.id, Kind.TREE)]
        else:
            chunks = self._chunks[content.recipe]
            if chunks is None:
                return False, frozenset()
            pieces = [self._piece(id_, Kind.DATA) for id_ in chunks]
        whole, recipes, rest = True, set[ObjectId](), b""
        for piece in pieces:
            whole, rest = whole and piece.whole, rest + piece.head
            recipes |= piece.recipes
            if piece.tail is not None:
                whole = self._add_line(rest, recipes) and whole
                rest = piece.tail
        if rest:
            raise _damaged(content.id)
        return whole, frozenset(recipes)

    def _piece(self, id_: ObjectId, kind: Kind) -> _Piece:
        known = self._pieces.get(id_)
        if known is None:
            first, *lines = self._read(id_, kind).split(b"\0")
            tail = lines.pop() if lines else None
            recipes = set[ObjectId]()
            lacking = sum(not self._add_line(line, recipes) for line in lines)
            known = _Piece(first, tail, not lacking, frozenset(recipes))
            self._pieces[id_] = known
        return known

    def _add_line(self, line: bytes, recipes: set[ObjectId]) -> bool:
        """Need the file of a listing's line; only what it is identified by matters here."""
        try:
            kind, id_, _, _ = line.split(b" ", 3)
            if kind == b"d":
                return True
            whole, _, recipe = id_.decode("ascii").partition("+")
            ids = [bytes.fromhex(text) for text in (whole, recipe) if text]
        except ValueError as error:
            raise _damaged(line[:80]) from error
        if not ids or any(len(raw) != ID_SIZE for raw in ids):
            raise _damaged(line[:80])
        there, cut = self._add_file(ObjectId(ids[0]), ObjectId(ids[1]) if ids[1:] else None)
        recipes |= cut
        return there


def _damaged(what: object) -> IntegrityError:
    return IntegrityError(
        f"a directory listing in the remote can't be read ({what!r})",
        why="what it names can't be told, so nothing may be removed",
        hint="Run `pivot verify --remote`",
    )
