"""A tracked directory that only the store has: `python -m benchmarks.filling PROJECT FILES`.

Pushing needs no workspace, and a million files in one would take a million inodes. They are made
through the store itself, in a process of their own, since what a benchmark's process holds is the
least that is seen of any other's memory.
"""

import io
import sys

from benchmarks.tool import DATA
from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.split import TREE
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.track.pvt import write_pvt

FOLDER = 1000


def main(project: str, files: int) -> None:
    """Fill the store of a project, and say that `data` holds these files."""
    listing, size = io.BytesIO(), 0
    with Store.open(f"{project}/.pivot/cache").writer() as writer:
        for number in range(files):
            data = b"%d\n" % number
            content = Content(ContentType.FILE, writer.add_bytes(data), len(data))
            path = TreePath(f"{number // FOLDER:04}/{number:07}")
            listing.write(encode_line(TreeEntry(path, content)))
            size += len(data)
        listing.seek(0)
        added = writer.add_stream(listing, TREE)
    whole = Content(ContentType.DIRECTORY, added.id, size, added.recipe, files)
    write_pvt(project, RepoPath(DATA), whole)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
