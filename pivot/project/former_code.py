"""The code of a project as commits had it, and the one among them that a lock was made of."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from pivot.code.findings import Fingerprint
from pivot.code.fingerprint import Sources
from pivot.definition.extra import entry_of
from pivot.errors import DefinitionError
from pivot.git.repository import CommitId, Repository
from pivot.lock.lock import Lock
from pivot.paths import PathError, RepoPath
from pivot.project.commit_code import CommitCode
from pivot.project.origin import Origin
from pivot.project.project import Project


@dataclass(frozen=True, slots=True)
class Found:
    """A commit that has a symbol.

    Attributes:
        file: the source that it stands in.
        is_proven: whether it has the hash that the lock says.
        fingerprint: what the stage reached there; None for a symbol that was only observed.
    """

    commit: CommitId
    file: RepoPath
    is_proven: bool
    fingerprint: Fingerprint | None = None


class FormerCode:
    """Finds in commits what a lock was made of; `close` keeps what was found of their sources."""

    def __init__(self, project: Project, repository: Repository, roots: Sequence[RepoPath]) -> None:
        """`roots` are the folders that modules are imported from."""
        self._code = CommitCode(project, repository, roots)
        self._roots = tuple(roots)
        self._fingerprints: dict[tuple[CommitId, str], Fingerprint | None] = {}

    def find(self, origin: Origin, lock: Lock, symbol: str) -> Found | None:
        """The commit whose `symbol` is the one that a lock was made of, or else the lock's own.

        None where neither has such a symbol.
        """
        for commit in origin.commits:
            known = self._fingerprint(commit, lock)
            if known is not None and known.code.get(symbol) == lock.declared.code.get(symbol):
                return _reached(commit, known, symbol, is_proven=True)
        if origin.commit is None:
            return None
        known = self._fingerprint(origin.commit, lock)
        if known is None or symbol not in known.code:
            return None
        return _reached(origin.commit, known, symbol, is_proven=False)

    def find_observed(self, origin: Origin, symbol: str, wanted: str) -> Found | None:
        """The same of a symbol that a run used though nothing leads to it: by its hash alone."""
        for commit in origin.commits:
            if self._code.at(commit).hashes([symbol]).get(symbol) == wanted:
                file = find_module(self._code.sources(commit), self._roots, symbol)
                return None if file is None else Found(commit, file, is_proven=True)
        return None

    def source(self, commit: CommitId, path: RepoPath) -> bytes | None:
        """A source file of a commit; None where it has none there."""
        return self._code.sources(commit).read(path)

    def names(self, commit: CommitId, folder: RepoPath) -> Sequence[str]:
        """The names in a folder of a commit; see `Sources.names`."""
        return self._code.sources(commit).names(folder)

    def close(self) -> None:
        self._code.close()

    def _fingerprint(self, commit: CommitId, lock: Lock) -> Fingerprint | None:
        """What a stage reached in a commit; None if it wasn't there, or couldn't be parsed."""
        key = commit, entry_of(lock.root, lock.extra)
        if key not in self._fingerprints:
            try:
                self._fingerprints[key] = self._code.at(commit).fingerprint(key[1])
            except DefinitionError:
                self._fingerprints[key] = None
        return self._fingerprints[key]


def _reached(commit: CommitId, fingerprint: Fingerprint, symbol: str, *, is_proven: bool) -> Found:
    file = fingerprint.locations[symbol].file
    return Found(commit, file, is_proven=is_proven, fingerprint=fingerprint)


def find_module(sources: Sources, roots: Sequence[RepoPath], symbol: str) -> RepoPath | None:
    """The source file of the module that a symbol `package.module:name` stands in."""
    inner = symbol.partition(":")[0].replace(".", "/")
    for root in roots:
        for ending in ("/__init__.py", ".py"):
            with contextlib.suppress(PathError):
                path = root / f"{inner}{ending}"
                if sources.read(path) is not None:
                    return path
    return None
