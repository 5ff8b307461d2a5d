"""Very many pushes of a file each: `python -m benchmarks.pushing PROJECT FOLDER PUSHES`.

They go to FOLDER, and each is a whole push through the library: a process of its own for each would
take half an hour. Two clients push in turn, so that each has to learn what the other did. PROJECT
tracks the last file.
"""

import sys
import tempfile

from benchmarks.tool import DATA
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.sync.push import push
from pivot.track.pvt import write_pvt
from pivot.transfer.remote import RemoteStore

CLIENTS = 2


def main(project: str, folder: str, pushes: int) -> None:
    """Push, and track what was pushed last."""
    path = RepoPath(DATA)
    with tempfile.TemporaryDirectory(dir=folder, prefix="clients-") as clients:
        store = Store.open(f"{clients}/store")
        with store.writer() as writer:
            contents = [
                Content(ContentType.FILE, writer.add_bytes(data), len(data))
                for data in (b"%d\n" % number for number in range(pushes))
            ]
        for number, content in enumerate(contents):
            copies = f"{clients}/{number % CLIENTS}/copies"
            push(store, RemoteStore.at(f"{folder}/remote", {}, copies), {path: content}, jobs=1)
    write_pvt(project, path, contents[-1])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
