"""Diffs of the files that code reads when it is imported: they count as part of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pivot.code.findings import FileRead
from pivot.paths import RepoPath
from pivot.show.difference import numbered, unified

_MAX_BYTES: Final = 100_000

type Reading = Callable[[RepoPath], bytes | None]
"""What a file holds; None where there is none."""


def read_diffs(
    old: Sequence[FileRead], new: Sequence[FileRead], before: Reading, now: Reading, at: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines of unified diffs, and for each file that changed a note.

    `before` reads files as they were at the short id `at` of a commit, `now` as they are.
    """
    diff: list[str] = []
    notes: list[str] = []
    for path in _changed(old, new):
        notes.append(f"{path}, which it reads when it is imported, changed")
        if not path.endswith("/"):
            diff += _difference(path, before(RepoPath(path)), now(RepoPath(path)), at)
    return tuple(diff), tuple(notes)


def _changed(old: Sequence[FileRead], new: Sequence[FileRead]) -> Iterator[str]:
    was, is_ = ({read.path: read.holds for read in reads} for reads in (old, new))
    return (path for path in sorted(was | is_) if was.get(path) != is_.get(path))


def _difference(path: str, old: bytes | None, new: bytes | None, at: str) -> tuple[str, ...]:
    """Nothing for what is large, or no text."""
    before, after = _text(old), _text(new)
    if before is None or after is None:
        return ()
    names = ("/dev/null" if old is None else f"{path}@{at}", "/dev/null" if new is None else path)
    return unified(numbered(before), numbered(after), *names)


def _text(data: bytes | None) -> str | None:
    if data is None:
        return ""
    if len(data) > _MAX_BYTES or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
