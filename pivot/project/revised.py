"""What revisions hold besides the workspace, as a push or a fetch needs it; without a checkout."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

from pivot.errors import UsageError, nearest
from pivot.git.repository import CommitId, Repository
from pivot.git.revisions import RefKind, references, selected
from pivot.paths import PathError, RepoPath
from pivot.project.past import SHORT_ID, Need, Past, Record
from pivot.project.project import Project
from pivot.store.content import Content
from pivot.track.pvt import SUFFIX

_HINT = "Name revisions that leave this commit out"


class PathAt(RepoPath):
    """A path as some revision has it, for messages: `data/raw@v1.0`. Nothing is opened by it."""

    __slots__ = ()

    @classmethod
    def of(cls, path: RepoPath, label: str) -> Self:
        return str.__new__(cls, f"{path}@{label}")


def revised(
    project: Project, revisions: Sequence[str], targets: Sequence[str], *, all_branches: bool
) -> dict[RepoPath, Content]:
    """What revisions, and with `all_branches` the tips of all branches, say of TARGETS, or of all.

    Revisions are commits as Git names them, or ranges `A..B`. What several say alike comes once,
    under the first one's name. Raises `UsageError` for what is no revision or no target in any of
    them, `UnreadableLockError` for a lock or `.pvt` file that can't be read.
    """
    repository = project.need_repository()
    past = Past(project, repository, _HINT)
    found: dict[Need, str] = {}
    seen: set[str] = set()
    known: set[str] = set()
    for label, commit in _commits(repository, revisions, all_branches=all_branches):
        for record in past.records(commit):
            if record.inside:
                known.update(_names(record))
                seen.update(target for target in targets if list(_chosen(record, (target,))))
                for need in _chosen(record, targets):
                    found.setdefault(need, label)
    for target in targets:
        if target not in seen:
            raise _unknown(target, known)
    return _by_path(found)


def _commits(
    repository: Repository, revisions: Sequence[str], *, all_branches: bool
) -> Iterator[tuple[str, CommitId]]:
    """Commits with the name that messages have for them."""
    for revision in revisions:
        commits = selected(repository, revision)
        for commit in commits:
            yield (commit[:SHORT_ID] if ".." in revision else revision), commit
    if all_branches:
        for ref in references(repository):
            if ref.kind is RefKind.BRANCH:
                yield ref.name, ref.commit


def _names(record: Record) -> Iterator[str]:
    if record.stage is not None:
        yield record.stage
    yield from (path for path, _ in record.data)


def _chosen(record: Record, targets: Sequence[str]) -> Iterator[Need]:
    """What a record says of some targets: its stage, its paths, or folders that these lie in."""
    paths = [path for target in targets if (path := _as_path(target)) is not None]
    whole = not targets or record.stage in targets
    for path, content in record.data:
        if whole or any(wanted.contains(path) for wanted in paths):
            yield path, content


def _as_path(target: str) -> RepoPath | None:
    with contextlib.suppress(PathError):
        return RepoPath.resolve(target.removesuffix(SUFFIX), base=RepoPath.ROOT)
    return None


def _unknown(target: str, known: Iterable[str]) -> UsageError:
    near = nearest(target, known)
    return UsageError(
        f"{target!r} is no stage, no out and no tracked path in these revisions",
        hint=f"Did you mean '{near}'?" if near else "Leave it out to take all that they have",
    )


def _by_path(found: Mapping[Need, str]) -> dict[RepoPath, Content]:
    """Each content under a path of its own, also where one commit tells two things of a path."""
    roots: dict[RepoPath, Content] = {}
    for (path, content), label in found.items():
        key = PathAt.of(path, label)
        if key in roots:
            key = PathAt.of(path, f"{label} ({content.id.hex()[:SHORT_ID]})")
        roots[key] = content
    return roots
