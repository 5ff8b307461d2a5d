"""What a project needs of its cache, and who says so: the workspace, revisions, and runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pivot.errors import UsageError
from pivot.git.repository import CommitId, Repository
from pivot.git.revisions import Ref, RefKind, commits, is_shallow, references
from pivot.history import recorded_runs
from pivot.lock.lock import Lock, decode
from pivot.project.past import SHORT_ID, Need, Past
from pivot.project.project import Project

NAMED = 3
_LEAVE_OUT = "Name a scope that leaves this commit out, such as `--branches` or `--older-than`"


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
        _add_past(project, repository, found, scope)
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


def _add_past(project: Project, repository: Repository, found: Roots, scope: Scope) -> None:
    """Add what the commits of a scope need, under the names of refs or their short ids."""
    past = Past(project, repository, _LEAVE_OUT)

    def add(commit: CommitId, keeper: str) -> None:
        for record in past.records(commit):
            _add(found, record.needs, keeper)

    refs = references(repository)
    for ref in refs:
        if _is_wanted(ref, scope):
            add(ref.commit, ref.name)
    if scope.all_commits or scope.since is not None:
        for dated in commits(repository, [ref.commit for ref in refs]):
            if scope.all_commits or (scope.since is not None and dated.time >= scope.since):
                add(dated.commit, f"commit {dated.commit[:SHORT_ID]}")


def _is_wanted(ref: Ref, scope: Scope) -> bool:
    return (
        scope.all_commits
        or (scope.branches and ref.kind is RefKind.BRANCH)
        or (scope.tags and ref.kind is RefKind.TAG)
    )
