"""The folder below a store's `tmp/` in which a fetch stages, and what killed fetches left there."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Final

from pivot.errors import LockedError
from pivot.files import NoLocksError, locked

_PREFIX: Final = "fetch-"
_OWNER: Final = "owner"
# A folder this young may belong to a fetch that hasn't locked it yet.
_SETTLED_S: Final = 60.0


@contextlib.contextmanager
def staging_folder(root: str) -> Iterator[str]:
    """A fresh folder in the store at `root`, removed at the end; those of the dead go first."""
    within = os.path.join(root, "tmp")
    _remove_left(within)
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, dir=within) as folder,
        contextlib.ExitStack() as stack,
    ):
        with contextlib.suppress(NoLocksError):
            stack.enter_context(locked(os.path.join(folder, _OWNER)))
        yield folder


def _remove_left(within: str) -> None:
    """Whole packs are large: those that a killed fetch left would fill a disk.

    Whose owner can't be told, for want of locks, stays until a collection holds the store alone.
    """
    for entry in os.scandir(within):
        owner = os.path.join(entry.path, _OWNER)
        if entry.name.startswith(_PREFIX) and os.path.isfile(owner) and _is_settled(entry):
            with contextlib.suppress(LockedError, NoLocksError), locked(owner, wait=False):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_settled(entry: "os.DirEntry[str]") -> bool:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _SETTLED_S
    except FileNotFoundError:
        return False
