"""Whether a store has every entry that restoring a content needs, not just the first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import ObjectId
from pivot.store.content import Content, ContentType
from pivot.store.store import Store


@dataclass(frozen=True, slots=True)
class Needs:
    """Looks up what contents need.

    Attributes:
        damaged: entries that are known to be damaged, or lost by damage.
        elsewhere: whether an entry needn't be here, since it can be had from elsewhere. What only
            is there can't be looked into; that its members are there is a remote's promise.
    """

    store: Store
    damaged: frozenset[ObjectId] = frozenset()
    elsewhere: Callable[[ObjectId], bool] = lambda _: False
    _whole: set[ObjectId] = field(default_factory=set)

    def lacking(self, content: Content) -> Iterator[tuple[ObjectId, bool]]:
        """Every entry that can't be had, and whether that is by damage.

        What a tree or recipe names is known only where that can be read.
        """
        head = content.recipe or content.id
        if head in self._whole:
            return
        is_whole = True
        for fault in self._examine(content, head):
            is_whole = False
            yield fault
        if is_whole:
            self._whole.add(head)

    def _examine(self, content: Content, head: ObjectId) -> Iterator[tuple[ObjectId, bool]]:
        if head in self.damaged or not self.store.has(head):
            yield from self._fault(head)
            return
        try:
            if content.recipe is not None:
                for chunk, _ in self.store.recipe(content.recipe).chunks:
                    yield from self._fault(chunk)
            if content.type is ContentType.DIRECTORY:
                yield from self._members(content)
        except IntegrityError:
            yield head, True
        except MissingDataError:  # a chunk of the listing, which was told; or it is elsewhere
            return

    def _members(self, content: Content) -> Iterator[tuple[ObjectId, bool]]:
        for entry in self.store.tree(content):
            if entry.content is None:
                continue
            if entry.content.recipe is not None:
                yield from self.lacking(entry.content)
            else:  # most files: they need no memory of their own
                yield from self._fault(entry.content.id)

    def _fault(self, id_: ObjectId) -> Iterator[tuple[ObjectId, bool]]:
        is_here = self.store.has(id_)
        if (is_here and id_ in self.damaged) or (not is_here and not self.elsewhere(id_)):
            yield id_, id_ in self.damaged
