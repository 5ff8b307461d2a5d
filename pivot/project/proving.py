"""Finding the sources that a lock was made from among the commits around it.

Whoever commits a lock commits its sources with it, or soon after. Nobody has to: sources may have
been edited in between. So a commit counts only if what the lock names is written there as it was
when it ran.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pivot.code.edition import edition
from pivot.code.fingerprint import ProjectCode
from pivot.definition.extra import entry_of
from pivot.errors import DefinitionError
from pivot.git.lineage import Lineages
from pivot.git.repository import CommitId, Repository, WorkPath
from pivot.lock.folder import lock_path
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.commit_sources import CommitSources, place_of
from pivot.project.known import KnownSources
from pivot.project.project import Project
from pivot.project.rekeying import Proof, known_hashes, names_of

# How many commits are looked at from the one on that brought a lock.
_NEAR = 5
_LOCKS = ".pivot/stages"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A commit that may have what ran, and the one that was there before the run, if known."""

    commit: CommitId
    before: CommitId | None


class Search:
    """Looks for the sources of locks; each commit is analysed once for all of them."""

    def __init__(self, project: Project, repository: Repository, roots: Sequence[RepoPath]) -> None:
        """`roots` are the folders that modules are imported from."""
        self._project = project
        self._repository = repository
        self._roots = tuple(roots)
        self._prefix = place_of(project.root, repository)
        self._lineages = Lineages(repository, WorkPath(self._prefix + _LOCKS))
        self._analysed: dict[CommitId, ProjectCode] = {}
        self._known: list[KnownSources] = []

    def find(self, lock: Lock) -> Proof | None:
        """What the sources that ran hash to; None if no commit near the lock has them."""
        try:
            return self._find(lock)
        finally:
            for known in self._known:
                known.close()

    def _find(self, lock: Lock) -> Proof | None:
        for candidate in self._candidates(lock):
            code = self._code(candidate.commit)
            if code.text(names_of(lock)) != lock.sources:
                continue
            try:
                found = code.fingerprint(entry_of(lock.root, lock.extra))
            except DefinitionError:
                continue
            unseen = sorted(found.code.keys() - lock.declared.code.keys())
            if self._stood_before(candidate, unseen):
                return Proof(found.code, known_hashes(code.hashes(lock.observed.code)))
        return None

    def _stood_before(self, candidate: _Candidate, names: Sequence[str]) -> bool:
        """Whether what the lock doesn't name is as it was before the run.

        Its scheme didn't see that this is reached, or it was written after the run. If it is the
        same on both sides of the run, it was the same in between.
        """
        if not names or candidate.commit == candidate.before:
            return True
        if candidate.before is None:
            return False
        return self._code(candidate.before).text(names) == self._code(candidate.commit).text(names)

    def _candidates(self, lock: Lock) -> Iterator[_Candidate]:
        """The commit that brought the lock, and those after it; HEAD for one that isn't there."""
        name = lock_path(lock.stage)
        path = WorkPath(f"{self._prefix}{_LOCKS}/{name}")
        entry = self._repository.on_disk(path, None, trust_modes=False)
        line = self._lineages.of(name, entry.blob) if entry is not None else ()
        if line:
            before = next(iter(self._lineages.parents(line[-1])), None)
            yield from (_Candidate(commit, before) for commit in reversed(line[-_NEAR:]))
            return
        head = self._repository.head().commit
        if head is not None:
            yield _Candidate(head, head)

    def _code(self, commit: CommitId) -> ProjectCode:
        if commit not in self._analysed:
            sources = CommitSources(self._repository, commit, self._prefix)
            known = KnownSources(sources.file_id, self._project.state, edition())
            self._known.append(known)
            self._analysed[commit] = ProjectCode(sources, self._roots, known)
        return self._analysed[commit]
