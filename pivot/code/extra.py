"""The files that stages name as their code, by `extra_code=`: which they are, and their hashes.

A folder counts with all files in it, but hidden ones and `__pycache__`; a pattern with those that
it matches. Links to folders aren't followed. Files count byte by byte.
"""

import os
from collections.abc import Callable, Iterator, Sequence

from pivot.definition.extra import PATH, fixed_part, is_pattern, matcher, paths_of
from pivot.errors import DefinitionError, nearest
from pivot.hashing import ObjectId
from pivot.paths import PathError, RepoPath, StageName

_CACHES = frozenset({"__pycache__"})


def extra_files(
    stage: StageName,
    extra: Sequence[str],
    project: str,
    file_id: Callable[[str], ObjectId | None],
) -> dict[str, str]:
    """The files that `extra_code` of a stage names: `./path` -> id, as they stand in its lock.

    `project` is absolute; `file_id` says what a file holds, its path relative to that. Raises
    `DefinitionError` that names the stage and what it names in vain.
    """
    found: dict[str, str] = {}
    for written in paths_of(extra):
        ids = {PATH + _checked(stage, path): file_id(path) for path in _files(project, written)}
        # One may be gone since its folder was listed, or be no plain file.
        there = {entry: id_.hex() for entry, id_ in ids.items() if id_ is not None}
        if not there:
            raise _missing(stage, project, written)
        found |= there
    return found


def _files(project: str, written: str) -> Iterator[str]:
    """The paths of files, relative to the project, that a path or pattern stands for."""
    full = os.path.join(project, written)
    if os.path.isfile(full):
        yield written
    elif os.path.isdir(full):
        yield from _walk(project, written, depth=None)
    elif is_pattern(written):
        depth = None if "**" in written else written.count("/")
        yield from filter(matcher(written), _walk(project, fixed_part(written), depth))


def _walk(project: str, folder: str, depth: int | None) -> Iterator[str]:
    """All files below a folder but hidden ones and caches, to a depth counted from the project."""
    for base, folders, files in os.walk(os.path.join(project, folder)):
        here = os.path.normpath(os.path.relpath(base, project))
        prefix = "" if here == "." else here + "/"
        if depth is not None and prefix.count("/") >= depth:
            folders.clear()
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _CACHES)
        yield from (prefix + file for file in sorted(files) if not file.startswith("."))


def _checked(stage: StageName, path: str) -> RepoPath:
    try:
        return RepoPath(path)
    except PathError as error:
        what = f"{path!r} can't be named in a lock"
        raise _refused(stage, what, error.why, error.hint) from error


def _missing(stage: StageName, project: str, written: str) -> DefinitionError:
    if is_pattern(written):
        return _refused(stage, f"no file matches {written!r}")
    if os.path.isdir(os.path.join(project, written)):
        return _refused(stage, f"no file is in {written!r}")
    what = f"there is no file or folder {written!r}"
    module = os.path.join(project, written.replace(".", "/"))
    if os.path.exists(module) or os.path.exists(module + ".py"):
        return _refused(stage, what, hint=f'If you mean the module, write "{written}:<module>"')
    near = nearest(written, _beside(project, written))
    return _refused(stage, what, hint=near and f"Did you mean {near!r}?")


def _beside(project: str, written: str) -> list[str]:
    folder = os.path.dirname(written)
    try:
        names = os.listdir(os.path.join(project, folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names]


def _refused(
    stage: StageName, what: str, why: str | None = None, hint: str | None = None
) -> DefinitionError:
    return DefinitionError(
        f"extra_code of stage {str(stage)!r} can't be used: {what}",
        why=why,
        hint=hint or "Correct the stage's `extra_code=`; `pivot list` says where it is",
    )
