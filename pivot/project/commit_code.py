"""The code of a project as commits had it, each commit analysed once."""

from collections.abc import Sequence

from pivot.code.edition import edition
from pivot.code.fingerprint import ProjectCode
from pivot.git.repository import CommitId, Repository
from pivot.paths import RepoPath
from pivot.project.commit_sources import CommitSources, place_of
from pivot.project.known import KnownSources
from pivot.project.project import Project


class CommitCode:
    """Analyses commits; `close` keeps what was found of their sources."""

    def __init__(self, project: Project, repository: Repository, roots: Sequence[RepoPath]) -> None:
        """`roots` are the folders that modules are imported from."""
        self._state = project.state
        self._repository = repository
        self._prefix = place_of(project.root, repository)
        self._roots = tuple(roots)
        self._known: list[KnownSources] = []
        self._codes: dict[CommitId, ProjectCode] = {}

    def at(self, commit: CommitId) -> ProjectCode:
        """The code of a commit."""
        if commit not in self._codes:
            sources = self.sources(commit)
            known = KnownSources(sources.file_id, self._state, edition())
            self._known.append(known)
            self._codes[commit] = ProjectCode(sources, self._roots, known)
        return self._codes[commit]

    def sources(self, commit: CommitId) -> CommitSources:
        """The source files of a commit."""
        return CommitSources(self._repository, commit, self._prefix)

    def close(self) -> None:
        for known in self._known:
            known.close()
