"""Diffs of small text files that stages read or write, and of those in directories."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pivot.paths import PathError, RepoPath
from pivot.project.account import SHORT_ID, Detail, FileChanges
from pivot.project.former_files import FormerFiles
from pivot.project.project import Project
from pivot.project.versions import Reader, Versions, changes
from pivot.show.difference import numbered, unified
from pivot.store.content import Content, ContentType
from pivot.store.tree import TreeEntry

_MAX_BYTES: Final = 100_000
_MAX_FILES: Final = 5
"""Of a directory."""


class _NoDiffError(Exception):
    """There is no diff, for the reason that its text gives."""


@dataclass(frozen=True, slots=True)
class FileDiffs:
    """Old bytes come from the cache, or from Git (`past`, None outside of a repository)."""

    project: Project
    past: FormerFiles | None = None

    def add(self, detail: Detail, found: Versions) -> Detail:
        """The detail of a changed dep or out with its diff, or with a note why there is none."""
        old, new = found.old, found.new
        if old is None or new is None:
            return detail
        kinds = {old.type, new.type}
        if kinds == {ContentType.DIRECTORY}:
            return self._directory(detail, found.path, old, new)
        if ContentType.DIRECTORY in kinds:
            return replace(detail, notes=("one is a directory, the other a file",))
        try:
            diff = self._compare(found.path, old, new)
        except _NoDiffError as error:
            return replace(detail, notes=(f"no diff: {error}",))
        if not diff:
            return replace(detail, notes=("only the end of its last line, or its mode, differs",))
        return replace(detail, diff=diff)

    def _directory(self, detail: Detail, path: RepoPath, old: Content, new: Content) -> Detail:
        """Which files differ, and the diffs of the first of them that are small and text."""
        before = self._entries(path, old)
        after = Reader(self.project).entries(path, new)
        if before is None or after is None:
            note = "its old listing is in neither cache nor Git, so what differs can't be told"
            return replace(detail, notes=(note,))
        files = changes(before, after)
        diff = tuple(self._inside(path, files, before, after))
        return replace(detail, files=files, diff=diff or None)

    def _entries(self, path: RepoPath, content: Content) -> dict[str, TreeEntry] | None:
        found = Reader(self.project).entries(path, content)
        if found is None and self.past is not None:
            found = self.past.entries(path, content)
        return found

    def _inside(
        self,
        path: RepoPath,
        files: FileChanges,
        before: dict[str, TreeEntry],
        after: dict[str, TreeEntry],
    ) -> Iterator[str]:
        for name in files.changed[:_MAX_FILES]:
            old, new = before[name].content, after[name].content
            if old is None or new is None:
                continue
            try:
                yield from self._compare(path / name, old, new)
            except (PathError, _NoDiffError):
                continue  # that it changed is told anyway

    def _compare(self, path: RepoPath, old: Content, new: Content) -> tuple[str, ...]:
        """The diff of a file. Raises `_NoDiffError`."""
        if max(old.size, new.size) > _MAX_BYTES:
            raise _NoDiffError(f"it is larger than {_MAX_BYTES:,} bytes")
        reader = Reader(self.project)
        before, after = reader.file(path, old), reader.file(path, new)
        if before is None and self.past is not None:
            before = self.past.file(path, old.id)
        if max(len(before or b""), len(after or b"")) > _MAX_BYTES:
            raise _NoDiffError(f"it is larger than {_MAX_BYTES:,} bytes")
        if before is None:
            raise _NoDiffError("its old bytes are in neither cache nor Git")
        if after is None:
            raise _NoDiffError("its new bytes aren't here")
        name = f"{path}@{str(old.id)[:SHORT_ID]}"
        return unified(numbered(_text(before)), numbered(_text(after)), name, path)


def _text(data: bytes) -> str:
    """The text of a file. Raises `_NoDiffError` for one that is none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _NoDiffError("it isn't text")
    return text
