"""Very many pushes to a folder, of a file each: `python -m benchmarks.pushing PROJECT FOLDER PUSHES`.

Each is a whole push through the library, by one of two clients that push at the same time: a process
of its own for each push would take half an hour. The last file is tracked by the project.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial

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
    shares = [range(first, pushes, CLIENTS) for first in range(CLIENTS)]
    with ProcessPoolExecutor(CLIENTS) as clients:
        *_, last = clients.map(partial(push_all, folder), shares)
    write_pvt(project, RepoPath(DATA), last)


def push_all(folder: str, numbers: range) -> Content:
    """Push a file for each of these numbers; returns what the last one holds."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="client-") as client:
        store = Store.open(f"{client}/store")
        with store.writer() as writer:
            contents = [
                Content(ContentType.FILE, writer.add_bytes(data), len(data))
                for data in (b"%d\n" % number for number in numbers)
            ]
        for content in contents:
            remote = RemoteStore.at(f"{folder}/remote", {}, f"{client}/copies/remote")
            push(store, remote, {RepoPath(DATA): content}, jobs=1)
    return contents[-1]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
