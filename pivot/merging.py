"""Adding to a directory what it lacks of a tree, and touching nothing else in it."""

import errno
import os
from collections.abc import Iterable, Iterator

from pivot.landing import Folders, move_beside
from pivot.store.tree import TreeEntry


def missing(fd: int, entries: Iterable[TreeEntry]) -> Iterator[TreeEntry]:
    """Entries of a tree for which nothing is in the folder `fd`.

    Where a link or a file is in the place of one of their folders, that is let be too.
    """
    folders = Folders(fd, make=False)
    try:
        for entry in entries:
            before, _, name = entry.path.rpartition("/")
            try:
                os.lstat(name, dir_fd=folders.enter(before))
            except FileNotFoundError:
                yield entry
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
    finally:
        folders.close()


def merge(new: int, target: int) -> None:
    """Move all that is in the folder `new` into the folder `target`, replacing nothing."""
    targets = Folders(target, make=True, fresh=False)
    try:
        for folder, _, names, fd in os.fwalk(".", dir_fd=new):
            into = targets.enter(folder[2:])  # after "./"
            for name in names:
                move_beside(name, fd, into)
    finally:
        targets.close()
