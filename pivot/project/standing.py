"""A record of the code, of which it can be told for one stage alone whether it still holds."""

from collections.abc import Iterable, Mapping, Sequence

from pivot.code.consulted import Consulted
from pivot.code.outside import is_joined, source_digest
from pivot.code.record import CodeRecord
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.project.absence import Absence
from pivot.project.project import Project
from pivot.project.sources import DiskSources


class Standing:
    """Looks at the files that the fingerprint of a stage depends on, and not at all others.

    Files that came or went are noticed wherever code looked for them.
    """

    def __init__(self, project: Project, record: CodeRecord, consulted: Consulted | None) -> None:
        """`consulted` are the modules that each fingerprint depends on; None if nobody knows."""
        self.record = record
        self._project = project
        self._disk = DiskSources(project.root)
        self._consulted = consulted
        self._files = {path: id_ for path, id_ in record.files.items() if id_ is not None}
        self.sources = frozenset(consulted.files.values() if consulted is not None else ())
        # Whose the data is that code reads at import isn't known.
        self._data = [path for path in self._files if path not in self.sources]
        self._absence = Absence(project.root)
        self._folders: set[RepoPath] = set()
        self._listings: dict[RepoPath, list[str]] = {}
        self.note(record.files, record.folders, record.listings)

    def note(
        self,
        files: Mapping[RepoPath, ObjectId | None],
        folders: Mapping[RepoPath, bool],
        listings: Mapping[RepoPath, Sequence[str]],
    ) -> None:
        """Take note of more places that code looked for; see `CodeRecord`."""
        self._absence.add(
            [path for path, id_ in files.items() if id_ is None],
            [path for path, is_there in folders.items() if not is_there],
        )
        self._folders.update(path for path, is_there in folders.items() if is_there)
        self._listings |= {path: [*names] for path, names in listings.items()}

    def holds_for(self, entry: str) -> bool:
        """Whether what the record says of an entry (`Stage.entry`) is still true."""
        files = self._files
        return (
            self._has_same_places()
            and self.has_files({path: files.get(path) for path in self._files_of(entry)})
            and self._has_same_outside(entry)
        )

    def _has_same_places(self) -> bool:
        return (
            self._absence.holds()
            and all(map(self._disk.is_dir, self._folders))
            and all([*self._disk.names(path)] == known for path, known in self._listings.items())
        )

    def _files_of(self, entry: str) -> Iterable[RepoPath]:
        modules = None if self._consulted is None else self._consulted.stages.get(entry)
        if self._consulted is None or modules is None:
            return self._files
        files = self._consulted.files
        return [*self._data, *(files[name] for name in modules if name in files)]

    def has_files(self, files: Mapping[RepoPath, ObjectId | None]) -> bool:
        """Whether files hold what they are said to hold."""
        return self._project.workspace.file_ids(files) == files

    def _has_same_outside(self, entry: str) -> bool:
        """Whether code outside of the project is as it was, if the entry uses any."""
        if not any(map(is_joined, self.record.packages[entry].values())):
            return True
        places, file_id = self.record.outside, self._project.file_id
        return all(source_digest(place, file_id) == known for place, known in places.items())
