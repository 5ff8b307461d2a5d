"""What HEAD's commit and the index are, told by the states of a few files.

Opening a repository through libgit2 costs as much as a small checkout. Where these files are as
they were, so is what Git tracks.
"""

import os
from dataclasses import dataclass

from pivot.files import Stat, lstat

_LONGEST = 1024  # bytes of a HEAD or a ref that is worth reading


@dataclass(frozen=True, slots=True)
class Evidence:
    """`text` changes whenever HEAD's commit or the index does; `states` are of the files it tells.

    A file that changed within the clock's tick may change again unseen.
    """

    text: str
    states: tuple[Stat, ...]


def head_and_index(directory: str) -> Evidence | None:
    """What there is to tell of the repository around a directory.

    None where that can't be told so simply: work trees whose `.git` is a file, refs in a table,
    refs to refs, a repository named by the environment, or none at all.
    """
    folder = _git_folder(directory)
    if folder is None or "GIT_DIR" in os.environ or os.path.exists(f"{folder}/reftable"):
        return None
    head = _text(f"{folder}/HEAD")
    if head is None:
        return None
    names = ["HEAD", "index", "packed-refs"]
    if head.startswith("ref: refs/"):
        names.append(head.removeprefix("ref: ").strip())
        if (_text(f"{folder}/{names[-1]}") or "").startswith("ref:"):
            return None
    states = {name: lstat(f"{folder}/{name}") for name in names}
    found = tuple(stat for stat in states.values() if stat is not None)
    return Evidence(repr((folder, head, states)), found)


def _git_folder(directory: str) -> str | None:
    """The nearest `.git` above, if it is a folder."""
    here = os.path.realpath(directory)
    while not os.path.lexists(f"{here}/.git"):
        parent = os.path.dirname(here)
        if parent == here:
            return None
        here = parent
    folder = f"{here}/.git"
    return folder if os.path.isdir(folder) and not os.path.islink(folder) else None


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read(_LONGEST)
    except OSError:
        return None
