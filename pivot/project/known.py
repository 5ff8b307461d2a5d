"""What this clone's accelerator knows of sources, so that they are neither read nor parsed."""

from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.state import State
from pivot.workspace import Workspace


class KnownSources:
    """Ids and facts for one analysis; files are looked at once. `close` keeps what is new."""

    def __init__(self, workspace: Workspace, state: State, edition: bytes) -> None:
        """`edition` tells the analysis whose facts these are."""
        self._workspace = workspace
        self._state = state
        self._edition = edition
        self._ids: dict[RepoPath, ObjectId | None] = {}
        self._fresh: dict[bytes, bytes] = {}

    def file_id(self, path: RepoPath) -> ObjectId | None:
        if path not in self._ids:
            self._ids[path] = self._workspace.file_id(path)
        return self._ids[path]

    def facts(self, key: ObjectId) -> bytes | None:
        return self._state.facts(self._edition + key)

    def keep(self, key: ObjectId, facts: bytes) -> None:
        self._fresh[self._edition + key] = facts

    def close(self) -> None:
        if self._fresh:
            self._state.record_facts(self._fresh.items())
            self._fresh = {}
