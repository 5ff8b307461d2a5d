"""Finding the sources that a lock was made from among the commits around it.

Whoever commits a lock commits its sources with it, or soon after. Nobody has to: sources may have
been edited in between. So a commit counts only if what the lock names is written there as it was
when it ran.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pivot.definition.extra import entry_of
from pivot.errors import DefinitionError
from pivot.git.lineage import Lineages
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.lock.folder import lock_path
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.commit_code import CommitCode
from pivot.project.commit_sources import place_of
from pivot.project.project import Project
from pivot.project.rekeying import Proof, known_hashes, names_of

# How many commits are looked at from the one on that brought a lock.
_NEAR = 5


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A commit that may have what ran, and the one that was there before the run, if known."""

    commit: CommitId
    before: CommitId | None


class Search:
    """Looks for the sources of locks; each commit is analysed once for all of them."""

    def __init__(self, project: Project, repository: Repository, roots: Sequence[RepoPath]) -> None:
        """`roots` are the folders that modules are imported from."""
        self._repository = repository
        self._code = CommitCode(project, repository, roots)
        self._locks = place_of(project.layout.locks, repository)
        self._lineages = Lineages(repository, WorkPath(self._locks.removesuffix("/")))

    def find(self, lock: Lock) -> Proof | None:
        """What the sources that ran hash to; None if no commit near the lock has them."""
        try:
            return self._find(lock)
        finally:
            self._code.close()

    def _find(self, lock: Lock) -> Proof | None:
        for candidate in self._candidates(lock):
            code = self._code.at(candidate.commit)
            if code.text(lock.root, names_of(lock)) != lock.sources:
                continue
            try:
                found = code.fingerprint(entry_of(lock.root, lock.extra))
            except DefinitionError:
                continue
            unseen = sorted(found.code.keys() - lock.declared.code.keys())
            if self._stood_before(candidate, lock.root, unseen):
                return Proof(found.code, known_hashes(code.hashes(lock.observed.code)))
        return None

    def _stood_before(self, candidate: _Candidate, root: str, names: Sequence[str]) -> bool:
        """Whether what the lock doesn't name is as it was before the run.

        Its scheme didn't see that this is reached, or it was written after the run. If it is the
        same on both sides of the run, it was the same in between.
        """
        if not names or candidate.commit == candidate.before:
            return True
        if candidate.before is None:
            return False
        before, after = self._code.at(candidate.before), self._code.at(candidate.commit)
        return before.text(root, names) == after.text(root, names)

    def _candidates(self, lock: Lock) -> Iterator[_Candidate]:
        """The commit that brought the lock, and those after it; HEAD for one that isn't there."""
        name = lock_path(lock.stage)
        path = WorkPath(self._locks + name)
        entry = self._repository.on_disk(path, None, trust_modes=False)
        line = self._lineages.of(name, entry.blob) if entry is not None else ()
        if line:
            before = next(iter(self._lineages.parents(line[-1])), None)
            yield from (_Candidate(commit, before) for commit in reversed(line[-_NEAR:]))
            return
        head = self._repository.head().commit
        if head is not None:
            yield _Candidate(head, head)
