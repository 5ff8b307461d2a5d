"""Very many pushes to a folder, of a file each: `python -m benchmarks.pushing PROJECT FOLDER PUSHES`.

Each is a whole push through the library, by a client that others' pushes are known to, since a
process of its own for each would take half an hour. The last file is tracked by the project.
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


def main(project: str, folder: str, pushes: int) -> None:
    """Push, and track what was pushed last."""
    path = RepoPath(DATA)
    with tempfile.TemporaryDirectory(dir=folder, prefix="client-") as client:
        store = Store.open(f"{client}/store")
        with store.writer() as writer:
            files = [(writer.add_bytes(b"%d\n" % n), len(b"%d\n" % n)) for n in range(pushes)]
        contents = [Content(ContentType.FILE, id_, size) for id_, size in files]
        for content in contents:
            remote = RemoteStore.at(f"{folder}/remote", {}, f"{client}/copies/remote")
            push(store, remote, {path: content}, jobs=1)
    write_pvt(project, path, contents[-1])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
