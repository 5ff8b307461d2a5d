"""Who may read what is put into a store: whoever may read the store's own folder.

A cache that a team shares is a folder with the team's group and `chmod g+rwxs`. What is made in it
is as open as that folder, whatever the umask of the process that makes it.
"""

import contextlib
import os
import stat as stat_

from pivot.files import write_atomic


def file_mode(root: str) -> int:
    """The mode of an immutable file in the store at `root`: readable as the folder is."""
    return _mode(root) & 0o444


def make_folder(root: str, path: str) -> None:
    """Make a folder below the store at `root`, and those above it; it may be there already."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if len(parent) >= len(root):
        make_folder(root, parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)
        wanted = _mode(root) if len(path) > len(root) else None
        if wanted is not None and wanted & ~_mode(path):
            os.chmod(path, _mode(path) | wanted)


def keep_from_git(root: str) -> None:
    """Let Git ignore a store that lies in a work tree, wherever that is."""
    path = os.path.join(root, ".gitignore")
    if not os.path.lexists(path):
        write_atomic(path, b"*\n", mode=file_mode(root), exact=True)


def open_up(root: str, fd: int) -> None:
    """Let whoever shares the store use a file that is locked there: its owner alone can say so."""
    wanted = _mode(root) & 0o666
    with contextlib.suppress(PermissionError):  # another user's file is open as that user made it
        if wanted & ~stat_.S_IMODE(os.fstat(fd).st_mode):
            os.fchmod(fd, stat_.S_IMODE(os.fstat(fd).st_mode) | wanted)


def _mode(path: str) -> int:
    return stat_.S_IMODE(os.stat(path).st_mode)
