"""What this clone's accelerator knows of sources, so that they are neither read nor parsed."""

from collections.abc import Callable, Mapping

from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.state import State


class KnownSources:
    """Ids and facts for one analysis; files are looked at once. `close` keeps what is new."""

    def __init__(
        self,
        file_id: Callable[[RepoPath], ObjectId | None],
        state: State,
        edition: bytes,
        ids: Mapping[str, ObjectId | None] | None = None,
    ) -> None:
        """`file_id` looks at files, `edition` tells the analysis whose facts these are.

        `ids` are those of files that were looked at already.
        """
        self._file_id = file_id
        self._state = state
        self._edition = edition
        self._ids: dict[str, ObjectId | None] = dict(ids or {})
        self._fresh: dict[bytes, bytes] = {}

    def file_id(self, path: RepoPath) -> ObjectId | None:
        if path not in self._ids:
            self._ids[path] = self._file_id(path)
        return self._ids[path]

    def facts(self, key: ObjectId) -> bytes | None:
        return self._state.facts(self._edition + key)

    def keep(self, key: ObjectId, facts: bytes) -> None:
        self._fresh[self._edition + key] = facts

    def close(self) -> None:
        if self._fresh:
            self._state.record_facts(self._fresh.items())
            self._fresh = {}
