"""Marking the entries that contents need: a byte for each row of the store's indexes.

Listings are read by chunk: a version of a large directory costs the chunks in which it differs
from those that were read before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import ID_SIZE, ObjectId
from pivot.store.content import Content, ContentType
from pivot.store.dangling import is_tree
from pivot.store.entry import Kind
from pivot.store.index import Index
from pivot.store.pack import REPAIR
from pivot.store.recipe import Recipe
from pivot.store.store import Store


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is left of a listing's chunk once its whole lines were marked.

    `head` are the bytes up to the first line's end, `tail` those after the last one's; without a
    line's end all is `head` and `tail` is None. `whole`: whether the store has what it names.
    """

    head: bytes
    tail: bytes | None
    whole: bool


class Reach:
    """Marks rows of `indexes`: those of the store, and of packs that none of them names."""

    def __init__(self, store: Store, indexes: Sequence[Index]) -> None:
        self._store = store
        self.indexes = tuple(indexes)
        self.marks = tuple(bytearray(index.entries) for index in self.indexes)
        # What was walked, as what, and whether all of it is there: who claims that a listing is
        # a file must not keep others from walking it.
        self._files: dict[tuple[bytes, bytes], bool] = {}
        self._listings: dict[ObjectId, bool] = {}
        self._pieces: dict[ObjectId, _Piece] = {}

    def mark(self, content: Content) -> bool:
        """Mark all that restoring `content` needs; whether the store has it.

        Raises `IntegrityError` if what tells the rest is damaged, or names what isn't there: to
        remove that, too, could be to lose the rest of it.
        """
        if content.type is not ContentType.DIRECTORY:
            return self._mark_file(content.id, content.recipe)
        own = content.recipe or content.id
        if own not in self._listings:
            self._listings[own] = self._mark_listing(content)
        return self._listings[own]

    def _mark_file(self, id_: bytes, recipe: bytes | None) -> bool:
        if recipe is None:
            return self._mark_entry(id_, Kind.DATA)
        known = self._files.get((id_, recipe))
        if known is None:
            known = self._files[id_, recipe] = self._mark_cut(ObjectId(id_), ObjectId(recipe))
        return known

    def _mark_cut(self, id_: ObjectId, recipe_id: ObjectId, *, listing: bool = False) -> bool:
        """Mark the chunks of a file or listing, and then its recipe; one for another is none."""
        try:
            recipe = Recipe.decode(self._read(recipe_id, Kind.RECIPE))
        except MissingDataError:
            return False
        if recipe.file != id_:
            return False
        lacking = sum(not self._mark_entry(chunk, Kind.DATA) for chunk, _ in recipe.chunks)
        if lacking:
            return self._dangling(recipe_id)
        if not listing and is_tree(recipe_id, recipe, self._read):
            # Claimed to be a file. Where its recipe is, all that it names must be.
            return self.mark(Content(ContentType.DIRECTORY, id_, 0, recipe_id, 0))
        return self._mark_entry(recipe_id, Kind.RECIPE)

    def _dangling(self, id_: ObjectId) -> bool:
        """What names something that isn't there: only what no index names is passed over.

        A collection that died can leave such packs behind; they go now.
        """
        if not self._store.has(id_):
            return False
        raise IntegrityError(
            f"the cache lacks parts of object {id_.hex()[:12]}",
            why="packs were lost or damaged, and collecting now could lose the rest of it",
            hint=REPAIR,
        )

    def _mark_listing(self, content: Content) -> bool:
        """Mark a directory's files, and then its listing."""
        own = content.recipe or content.id
        try:
            members = self._mark_members(content)
        except MissingDataError:
            return self._dangling(own)
        if not members:
            return self._dangling(own)
        if content.recipe is not None:
            return self._mark_cut(content.id, content.recipe, listing=True)
        return self._mark_entry(content.id, Kind.TREE)

    def _mark_members(self, content: Content) -> bool:
        whole, rest = True, b""
        for piece in self._pieces_of(content):
            whole = whole and piece.whole
            rest += piece.head
            if piece.tail is not None:
                whole = self._mark_line(rest) and whole
                rest = piece.tail
        if rest:
            raise _damaged(content.id)
        return whole

    def _pieces_of(self, content: Content) -> Iterator[_Piece]:
        if content.recipe is None:
            yield self._piece(content.id, Kind.TREE)
            return
        recipe = Recipe.decode(self._read(content.recipe, Kind.RECIPE))
        for id_, _ in recipe.chunks:
            yield self._piece(id_, Kind.DATA)

    def _piece(self, id_: ObjectId, kind: Kind) -> _Piece:
        known = self._pieces.get(id_)
        if known is None:
            first, *lines = self._read(id_, kind).split(b"\0")
            tail = lines.pop() if lines else None
            lacking = sum(not self._mark_line(line) for line in lines)
            known = self._pieces[id_] = _Piece(first, tail, whole=not lacking)
        return known

    def _mark_line(self, line: bytes) -> bool:
        """Mark the file of a listing's line; only what it is identified by matters here."""
        try:
            kind, id_, _, _ = line.split(b" ", 3)
            if kind == b"d":
                return True
            whole, _, recipe = id_.decode("ascii").partition("+")
            ids = bytes.fromhex(whole), bytes.fromhex(recipe) if recipe else None
        except ValueError as error:
            raise _damaged(line[:80]) from error
        if not all(id_ is None or len(id_) == ID_SIZE for id_ in ids):
            raise _damaged(line[:80])
        return self._mark_file(*ids)

    def _mark_entry(self, id_: bytes, kind: Kind) -> bool:
        """Mark an entry of that kind; an id that names another one is claimed wrongly."""
        found = self._find(id_)
        if found is None:
            return False
        number, row = found
        if self.indexes[number].place_at(row).kind is not kind:
            return False
        self.marks[number][row] = 1
        return True

    def _find(self, id_: bytes) -> tuple[int, int] | None:
        """The index and the row where an entry can be read: always the same for an id."""
        for number, index in enumerate(self.indexes):
            row = index.row_of(id_)
            if row is not None and (
                self.marks[number][row]
                or self._store.has_pack(index, index.place_at(row).block.pack)
            ):
                return number, row
        return None

    def _read(self, id_: ObjectId, kind: Kind) -> bytes:
        """An entry, verified. Raises `MissingDataError` if it is in no index."""
        found = self._find(id_)
        if found is None:
            raise MissingDataError(f"object {id_.hex()[:12]} is not in the cache")
        number, row = found
        return self._store.read_at(id_, kind, self.indexes[number].place_at(row))


def _damaged(what: object) -> IntegrityError:
    return IntegrityError(
        f"a directory listing in the cache can't be read ({what!r})",
        why="what it names can't be told, so nothing may be removed",
        hint=REPAIR,
    )
