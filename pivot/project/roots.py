"""What a project needs of its cache, and who says so: the workspace, revisions, and runs."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pivot.errors import PivotError, UsageError
from pivot.git.repository import CommitId, Repository
from pivot.git.revisions import Listings, Ref, RefKind, commits, is_shallow, references
from pivot.history import recorded_runs
from pivot.lock.folder import SUFFIX
from pivot.lock.lock import Lock, decode
from pivot.lock.sealed import UnreadableLockError
from pivot.paths import PathError, RepoPath
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.track.pvt import SUFFIX as PVT
from pivot.track.pvt import decode as decode_pvt

NAMED = 3
_OWN = frozenset({".pivot"})
_LOCKS = (".pivot", "stages")
SHORT_ID = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """What is kept, beside what the workspace needs.

    Attributes:
        branches: the tips of all branches, here and of remotes.
        tags: all tags.
        all_commits: every commit that any ref reaches.
        keep_runs: the results of so many of this clone's last runs.
        since: commits and runs from then on, in seconds since the epoch; None for none.
    """

    branches: bool = False
    tags: bool = False
    all_commits: bool = False
    keep_runs: int = 0
    since: float | None = None

    @property
    def asks_git(self) -> bool:
        """Whether it names what only a repository has."""
        return self.branches or self.tags or self.all_commits


@dataclass(slots=True)
class Keepers:
    """Who needs a content: some names, and how many there are in all."""

    names: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, name: str) -> None:
        if name not in self.names:
            self.count += 1
            if len(self.names) < NAMED:
                self.names.append(name)


type Need = tuple[RepoPath, Content]
type Roots = dict[Need, Keepers]


def find_roots(project: Project, scope: Scope) -> Roots:
    """All that a project needs, by path and content.

    Raises `UnreadableLockError` for a lock or `.pvt` file that can't be read in the scope, and
    `UsageError` for a shallow clone: what isn't known to be needless must stay.
    """
    found: Roots = {}
    _add(found, _workspace(project), "workspace")
    for number, run in enumerate(recorded_runs(project.layout.runs)):
        if number < scope.keep_runs or (scope.since is not None and run.time >= scope.since):
            for place, data in run.locks():
                _add(found, _needs(decode(data, place)), f"run {run.name}")
    repository = project.repository
    if repository is not None:
        if is_shallow(repository):
            raise _shallow(project.root)
        _Past(project, repository, found).add(scope)
    return found


def _add(found: Roots, needs: Iterable[Need], keeper: str) -> None:
    for need in needs:
        found.setdefault(need, Keepers()).add(keeper)


def _workspace(project: Project) -> Iterator[Need]:
    locks = project.locks()
    for lock in locks.values():
        yield from _needs(lock)
    yield from project.tracked_beside(locks).items()


def _needs(lock: Lock) -> Iterator[Need]:
    yield from lock.outs.items()
    yield from lock.previous.items()


def _shallow(root: str) -> UsageError:
    return UsageError(
        f"{root} is in a shallow clone",
        why="commits that aren't here may need what would be removed",
        hint="Get the rest with `git fetch --unshallow`, then run `pivot gc` again",
    )


class _Past:
    """What commits need: each lock and each `.pvt` file of the history is read once."""

    def __init__(self, project: Project, repository: Repository, found: Roots) -> None:
        self._repository = repository
        self._found = found
        inside = os.path.relpath(project.root, repository.workdir)
        self._prefix = "" if inside == os.curdir else f"{inside}/"
        # Wherever they lie: the project may have been moved since.
        self._kinds = (
            (Listings(repository, _is_lock, within=_LOCKS), _lock_needs),
            (Listings(repository, _is_pvt, skip=_OWN), _pvt_needs),
        )
        self._needs: dict[tuple[str, str], tuple[Need, ...]] = {}

    def add(self, scope: Scope) -> None:
        """Add what the commits of a scope need, under the names of refs or their short ids."""
        refs = references(self._repository)
        for ref in refs:
            if _is_wanted(ref, scope):
                self._add_commit(ref.commit, ref.name)
        if scope.all_commits or scope.since is not None:
            for dated in commits(self._repository, [ref.commit for ref in refs]):
                if scope.all_commits or (scope.since is not None and dated.time >= scope.since):
                    self._add_commit(dated.commit, f"commit {dated.commit[:SHORT_ID]}")

    def _add_commit(self, commit: CommitId, keeper: str) -> None:
        for listings, read in self._kinds:
            for path, blob in listings.at(commit):
                if (path, blob) not in self._needs:
                    place = path.removeprefix(self._prefix)
                    try:
                        self._needs[path, blob] = tuple(read(place, listings.read(blob)))
                    except (UnreadableLockError, PathError) as error:
                        raise _unreadable(path, commit, error) from error
                _add(self._found, self._needs[path, blob], keeper)


def _is_lock(name: str) -> bool:
    return name.endswith(SUFFIX)


def _is_pvt(name: str) -> bool:
    return name.endswith(PVT) and name != PVT


def _lock_needs(path: str, data: bytes) -> Iterator[Need]:
    return _needs(decode(data, path))


def _pvt_needs(path: str, data: bytes) -> Iterator[Need]:
    yield RepoPath(path.removesuffix(PVT)), decode_pvt(data, path)


def _unreadable(path: str, commit: CommitId, error: PivotError) -> UnreadableLockError:
    return UnreadableLockError(
        f"{path} in commit {commit[:SHORT_ID]} can't be read",
        why=error.why,
        hint="Name a scope that leaves this commit out, such as `--branches` or `--older-than`",
    )


def _is_wanted(ref: Ref, scope: Scope) -> bool:
    return (
        scope.all_commits
        or (scope.branches and ref.kind is RefKind.BRANCH)
        or (scope.tags and ref.kind is RefKind.TAG)
    )
