"""A store, and beside it what was brought here to be read without becoming a part of it.

In the store itself a tree or recipe would promise that all that it names is there, too.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pivot.errors import LockedError
from pivot.files import NoLocksError, locked
from pivot.hashing import ObjectId
from pivot.store.entry import Kind
from pivot.store.store import Store

_PREFIX: Final = "fetch-"
_OWNER: Final = "owner"
# A folder this young may belong to a fetch that hasn't locked it yet.
_SETTLED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Staged:
    """A store, the staging store beside it, and the folder that this one is in."""

    store: Store
    staging: Store
    folder: str

    def read(self, id_: ObjectId, kind: Kind) -> bytes:
        """An entry, verified, from wherever it is here."""
        place = self.staging if self.staging.has(id_) else self.store
        return place.read(id_, kind)

    def has(self, id_: ObjectId) -> bool:
        """Whether an entry can be read here."""
        return self.store.has(id_) or self.staging.has(id_)


@contextlib.contextmanager
def staging_beside(store: Store) -> Iterator[tuple[Store, str]]:
    """A staging store in a fresh folder below the store's `tmp/`; it is removed at the end."""
    with _staging_folder(store.root) as folder:
        yield Store.open(os.path.join(folder, "staging")), folder


@contextlib.contextmanager
def _staging_folder(root: str) -> Iterator[str]:
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
