"""Adding to a directory what it lacks of a tree, and touching nothing else in it."""

import contextlib
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


def merge(entries: Iterable[TreeEntry], new: int, target: int) -> None:
    """Move what the folder `new` has of a tree into the folder `target`, replacing nothing."""
    sources, targets = Folders(new, make=False), Folders(target, make=True, fresh=False)
    try:
        for entry in entries:
            before, _, name = entry.path.rpartition("/")
            with contextlib.suppress(FileNotFoundError):  # not one that was missing
                source = sources.enter(before)
                os.lstat(name, dir_fd=source)
                if entry.content is None:
                    targets.enter(entry.path)
                else:
                    move_beside(name, source, targets.enter(before))
    finally:
        sources.close()
        targets.close()
