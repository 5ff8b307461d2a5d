"""What a fetch can read: the store here, what was staged beside it, and what remotes give.

Trees and recipes are fetched first, level by level, into a staging store: only they tell what else
is needed.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from pivot.errors import PivotError
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType
from pivot.store.lookup import places
from pivot.store.store import Store
from pivot.sync.closure import Closure, walk
from pivot.sync.givers import Asked, Givers
from pivot.sync.staging import Staged, staging_beside
from pivot.transfer.fetch import Places, Source, Spool, fetch_requests
from pivot.transfer.fetch import fetch as receive
from pivot.transfer.progress import Meter, Transferred
from pivot.transfer.sink import Sink


@dataclass(frozen=True, slots=True)
class Reach(Staged):
    """Reads what tells the rest, from wherever it is."""

    givers: Givers
    jobs: int

    @classmethod
    @contextlib.contextmanager
    def make(cls, store: Store, givers: Givers, jobs: int) -> Iterator[Self]:
        """Stage below the store's `tmp/`; all of it is removed at the end."""
        with staging_beside(store) as (staging, folder):
            yield cls(store, staging, folder, givers, jobs)

    def obtain(self, ids: Iterable[ObjectId]) -> frozenset[ObjectId]:
        """Stage what isn't here; returns what nobody has, or has whole."""
        needed = list(ids)
        here = places(self.store, needed)
        needed = [id_ for id_ in needed if id_ not in here]
        while True:
            staged = places(self.staging, needed)
            needed = [id_ for id_ in needed if id_ not in staged]
            lost = self.givers.locate(needed) if needed else frozenset[ObjectId]()
            found = [id_ for id_ in needed if id_ not in lost]
            if not found:
                return lost
            with Sink(self.staging, Meter(None, 0)) as sink:
                self._take(sink, found, share_known=False)
            self.staging.refresh()

    def bring(self, sink: Sink, ids: Collection[ObjectId]) -> bool:
        """Fetch what was located into a store; whether all of it could be had."""
        return self._take(sink, ids, share_known=True)

    def requests(self, ids: Iterable[ObjectId]) -> int:
        """How many `bring` would make for what was located and isn't staged."""
        wanted = list(ids)
        staged = places(self.staging, wanted)
        rest = [id_ for id_ in wanted if id_ not in staged]
        return sum(
            fetch_requests(self._source(asked), at) for asked, at in self.givers.sharing(rest)
        )

    def closure(self, roots: Mapping[RepoPath, Content]) -> Closure:
        """What roots need. All that they name themselves is asked for at once."""
        heads = {
            content.recipe or content.id
            for content in roots.values()
            if content.recipe is not None or content.type is ContentType.DIRECTORY
        }
        self.obtain(heads)
        return walk(roots, self.read, self.obtain)

    def unknown(self, ids: Iterable[ObjectId]) -> frozenset[ObjectId]:
        """Those of `ids` that neither the store nor any remote has."""
        wanted = list(ids)
        here = places(self.store, wanted)
        return self.givers.locate([id_ for id_ in wanted if id_ not in here])

    def is_whole(self, path: RepoPath, content: Content, lost: frozenset[ObjectId]) -> bool:
        """Whether a root needs nothing of what is lost."""
        closure = walk({path: content}, self.read, self.obtain)
        return not closure.absent and lost.isdisjoint(closure)

    def _take(self, sink: Sink, ids: Iterable[ObjectId], *, share_known: bool) -> bool:
        is_done = True
        for asked, found in self.givers.sharing(ids):
            is_done &= self._take_from(asked, sink, found, share_known=share_known)
        return is_done

    def _take_from(self, asked: Asked, sink: Sink, places: Places, *, share_known: bool) -> bool:
        source = self._source(asked)
        try:
            damaged = receive(source, sink, places, share_known=share_known)
        except PivotError as error:
            self.givers.give_up(asked, error)
            return False
        self.givers.note(asked, damaged)
        sizes = [place.size for id_, place in places.items() if id_ not in damaged]
        asked.given += Transferred(len(sizes), sum(sizes))
        return not damaged

    def _source(self, asked: Asked) -> Source:
        assert asked.remote is not None, "it located entries"  # noqa: S101
        return Source(asked.remote, Spool(self.folder, asked.number), self.jobs)
