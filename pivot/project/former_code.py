"""The code of a project as commits had it, and the one among them that a lock was made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from pivot.code.findings import Fingerprint
from pivot.code.fingerprint import ProjectCode
from pivot.errors import DefinitionError
from pivot.git.repository import CommitId, Repository
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.origin import Origin
from pivot.project.sources import CommitSources


@dataclass(frozen=True, slots=True)
class Found:
    """A commit that has a symbol; `is_proven` if it has the hash that the lock says."""

    commit: CommitId
    fingerprint: Fingerprint
    is_proven: bool


class FormerCode:
    """Analyses commits, each once. `root` is the project, `roots` the folders of its modules."""

    def __init__(self, repository: Repository, root: str, roots: Sequence[RepoPath]) -> None:
        self._repository = repository
        self._root = root
        self._roots = tuple(roots)
        self._codes: dict[CommitId, ProjectCode] = {}
        self._fingerprints: dict[tuple[CommitId, str], Fingerprint | None] = {}

    def find(self, origin: Origin, lock: Lock, symbol: str) -> Found | None:
        """The commit whose `symbol` is the one that a lock was made of, or else the lock's own.

        None where neither has such a symbol.
        """
        for commit in origin.commits:
            known = self._fingerprint(commit, lock.root)
            if known is not None and known.code.get(symbol) == lock.declared.code.get(symbol):
                return Found(commit, known, is_proven=True)
        if origin.commit is None:
            return None
        known = self._fingerprint(origin.commit, lock.root)
        if known is None or symbol not in known.code:
            return None
        return Found(origin.commit, known, is_proven=False)

    def source(self, commit: CommitId, path: RepoPath) -> bytes | None:
        """A source file of a commit; None where it has none there."""
        return CommitSources(self._repository, commit, self._root).read(path)

    def _fingerprint(self, commit: CommitId, root: str) -> Fingerprint | None:
        """What a function reached in a commit; None if it wasn't there, or couldn't be parsed."""
        key = commit, root
        if key not in self._fingerprints:
            try:
                self._fingerprints[key] = self._code(commit).fingerprint(root)
            except DefinitionError:
                self._fingerprints[key] = None
        return self._fingerprints[key]

    def _code(self, commit: CommitId) -> ProjectCode:
        if commit not in self._codes:
            sources = CommitSources(self._repository, commit, self._root)
            self._codes[commit] = ProjectCode(sources, self._roots)
        return self._codes[commit]
