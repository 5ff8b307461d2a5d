"""What commits need of a cache: their locks and `.pvt` files, each read once."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from pivot.errors import PivotError
from pivot.git.repository import CommitId, Repository
from pivot.git.revisions import Listings
from pivot.lock.folder import SUFFIX
from pivot.lock.lock import decode
from pivot.lock.sealed import UnreadableLockError
from pivot.paths import PathError, RepoPath, StageName
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.track.pvt import SUFFIX as PVT
from pivot.track.pvt import decode as decode_pvt

SHORT_ID = 10
_OWN = frozenset({".pivot"})
_LOCKS = (".pivot", "stages")

type Need = tuple[RepoPath, Content]


@dataclass(frozen=True, slots=True)
class Record:
    """What a lock or `.pvt` file of a commit says is needed.

    Attributes:
        inside: whether it is this project's, where that lies now.
        stage: of a lock.
        data: outs, or what is tracked.
        previous: what the next run of an incremental stage begins with.
    """

    inside: bool
    stage: StageName | None
    data: tuple[Need, ...]
    previous: tuple[Need, ...] = ()

    @property
    def needs(self) -> tuple[Need, ...]:
        return *self.data, *self.previous


class Past:
    """Reads commits of a project's repository. `hint` helps where a record can't be read."""

    def __init__(self, project: Project, repository: Repository, hint: str) -> None:
        self._repository = repository
        self._hint = hint
        inside = os.path.relpath(project.root, repository.workdir)
        self._prefix = "" if inside == os.curdir else f"{inside}/"
        # Wherever they lie: the project may have been moved since.
        self._locks = Listings(repository, _is_lock, within=_LOCKS)
        self._pvts = Listings(repository, _is_pvt, skip=_OWN)
        self._known: dict[tuple[str, str], Record] = {}

    def records(self, commit: CommitId) -> Iterator[Record]:
        """All locks and `.pvt` files of a commit, wherever they lie.

        Raises `UnreadableLockError` for one that can't be read.
        """
        for listings, read in ((self._locks, self._lock), (self._pvts, self._pvt)):
            for path, blob in listings.at(commit):
                if (path, blob) not in self._known:
                    try:
                        self._known[path, blob] = read(path, listings.read(blob))
                    except (UnreadableLockError, PathError) as error:
                        raise self._unreadable(path, commit, error) from error
                yield self._known[path, blob]

    def _lock(self, path: str, data: bytes) -> Record:
        place = path.removeprefix(self._prefix)
        folder = "/".join((*_LOCKS, ""))
        inside = path.startswith(self._prefix) and place.startswith(folder)
        lock = decode(data, place)
        return Record(inside, lock.stage, tuple(lock.outs.items()), tuple(lock.previous.items()))

    def _pvt(self, path: str, data: bytes) -> Record:
        place = path.removeprefix(self._prefix)
        need = RepoPath(place.removesuffix(PVT)), decode_pvt(data, place)
        return Record(path.startswith(self._prefix), None, (need,))

    def _unreadable(self, path: str, commit: CommitId, error: PivotError) -> UnreadableLockError:
        return UnreadableLockError(
            f"{path} in commit {commit[:SHORT_ID]} can't be read", why=error.why, hint=self._hint
        )


def _is_lock(name: str) -> bool:
    return name.endswith(SUFFIX)


def _is_pvt(name: str) -> bool:
    return name.endswith(PVT) and name != PVT
