"""Finding the `.pvt` files of a project: one walk, without Git, and only where some may be.

Left out are Git's and Pivot's own folders, virtual environments, installed and compiled packages,
projects inside the project, and what is data itself: tracked directories, and outs. No link is
followed.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterator

from pivot.files import TEMPORARY_PREFIX
from pivot.paths import PathError, RepoPath, is_reserved
from pivot.reading import fault
from pivot.track.pvt import SUFFIX

_WITHOUT = frozenset({"node_modules", "__pycache__"})
_ENVIRONMENT = "pyvenv.cfg"
_PROJECT = ".pivot"

type Denied = Callable[[str, PermissionError], None]


def raise_denied(folder: str, error: PermissionError) -> None:
    """For those who must know all that is tracked: raise `DeniedError`."""
    raise fault(folder, error) from error


def pass_over(_: str, __: PermissionError) -> None:
    """For those who act on what is tracked: nothing in such a folder could be acted on."""


def find_tracked(
    root: str, *, outs: Collection[str] = (), denied: Denied = raise_denied
) -> list[RepoPath]:
    """The tracked paths of the project at `root`, sorted; the data itself need not be there.

    `denied` is told of folders that can't be listed. A `.pvt` file whose name no Pivot would write
    is none.
    """
    found: list[RepoPath] = []
    pending = [""]
    while pending:
        prefix = pending.pop()
        entries = _entries(os.path.join(root, prefix), denied)
        if prefix and _is_foreign(entries):
            continue
        tracked = {name for name, entry in entries.items() if _is_pvt(name, entry)}
        for name in tracked:
            with contextlib.suppress(PathError):
                found.append(RepoPath(prefix + name.removesuffix(SUFFIX)))
        pending.extend(
            f"{prefix}{name}/"
            for name in _folders(entries)
            if name + SUFFIX not in tracked and prefix + name not in outs
        )
    return sorted(found)


def _entries(folder: str, denied: Denied) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except PermissionError as error:
        denied(folder, error)
    except (FileNotFoundError, NotADirectoryError):
        pass  # gone since it was listed
    return {}


def _is_foreign(entries: dict[str, os.DirEntry[str]]) -> bool:
    """Whether a folder is a virtual environment, or a project of its own."""
    project = entries.get(_PROJECT)
    return _ENVIRONMENT in entries or (
        project is not None and project.is_dir(follow_symlinks=False)
    )


def _is_pvt(name: str, entry: os.DirEntry[str]) -> bool:
    return (
        name.endswith(SUFFIX)
        and name != SUFFIX
        and not name.startswith(TEMPORARY_PREFIX)
        and entry.is_file(follow_symlinks=False)
    )


def hidden_by(root: str, path: RepoPath) -> RepoPath | None:
    """The folder on the way to `path` that is never looked into; None where there is none."""
    for folder in reversed(list(_above(path))):
        entries = _entries(os.path.join(root, folder), pass_over)
        if os.path.basename(folder) in _WITHOUT or _is_foreign(entries):
            return folder
    return None


def _above(path: RepoPath) -> Iterator[RepoPath]:
    while (path := path.parent) != RepoPath.ROOT:
        yield path


def _folders(entries: dict[str, os.DirEntry[str]]) -> Iterator[str]:
    for name, entry in entries.items():
        if entry.is_dir(follow_symlinks=False) and name not in _WITHOUT and not is_reserved(name):
            yield name
