"""The projects that use a store which lies in none of them, or in another one.

    <store>/projects/<hash>.json    {"format": 1, "root": "/abs/path", "host": "name", "inode": 7}

The garbage collector asks each of them what it needs. They are named by host and path, since the
same path can be another project on another machine. The inode number of the project's `.pivot`
tells a machine that has another name by now.
"""

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from pivot.errors import IntegrityError
from pivot.files import lstat, open_regular, write_atomic
from pivot.hashing import hash_bytes
from pivot.store.access import file_mode, make_folder
from pivot.store.pushers import Pusher

FOLDER = "projects"
FORMAT = 1
SUFFIX = ".json"


class Registered(NamedTuple):
    """A project that uses a store: its absolute root, and the host it was seen on.

    `inode` is the number of its folder `.pivot`; 0 where that isn't known.
    """

    root: str
    host: str
    inode: int = 0

    @property
    def key(self) -> str:
        digest = hash_bytes(f"{self.host}\0{self.root}".encode()).hex()[:32]
        return f"{FOLDER}/{digest}{SUFFIX}"

    @property
    def is_here(self) -> bool:
        """Whether it is on this host, whatever that is called by now."""
        return self.host == os.uname().nodename or self.inode == _inode(self.root) != 0


def here(root: str) -> Registered:
    """The project at an absolute path on this host."""
    return Registered(root, os.uname().nodename, _inode(root))


def _inode(root: str) -> int:
    stat = lstat(os.path.join(root, ".pivot"))
    return 0 if stat is None else stat.inode


def register(store: str, project: Registered) -> None:
    """Note in the store at the path `store` that a project uses it; a second time does nothing."""
    path = os.path.join(store, project.key)
    if os.path.exists(path):
        return
    make_folder(store, os.path.dirname(path))
    value = {
        "format": FORMAT, "root": project.root, "host": project.host, "inode": project.inode
    }  # fmt: skip
    data = (json.dumps(value, ensure_ascii=False) + "\n").encode()
    write_atomic(path, data, mode=file_mode(store), exact=True)


def forget(store: str, project: Registered) -> None:
    """Take a project's note out. Raises `FileNotFoundError` if there is none."""
    os.unlink(os.path.join(store, project.key))


def registered(store: str) -> list[Registered]:
    """All projects that use a store, by path. Raises `IntegrityError` for a note that is damaged.

    To pass one over could be to throw away what that project needs.
    """
    return sorted(_read(store), key=lambda project: (project.root, project.host))


def pushers(store: str) -> list[Pusher]:
    """The projects that push to a store, which is somebody's remote then, too."""
    found = (Pusher.decode(data, key, store) for key, data in _notes(store))
    return sorted(pusher for pusher in found if pusher is not None)


def _read(store: str) -> Iterator[Registered]:
    for key, data in _notes(store):
        path = os.path.join(store, key)
        try:
            value = json.loads(data)
            if "repository" in value and "root" not in value:  # see `pushers`
                continue
            found = Registered(value["root"], value["host"], value["inode"])
            is_sound = value["format"] == FORMAT and key == found.key
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path) from error
        if not is_sound:
            raise _damaged(path)
        yield found


def _notes(store: str) -> Iterator[tuple[str, bytes]]:
    """The key and the bytes of each note."""
    try:
        names = os.listdir(os.path.join(store, FOLDER))
    except FileNotFoundError:
        return
    for name in names:
        if name.endswith(SUFFIX) and not name.startswith("."):
            key = f"{FOLDER}/{name}"
            try:
                with open(open_regular(os.path.join(store, key)), "rb") as f:
                    yield key, f.read()
            except IntegrityError as error:
                raise _damaged(os.path.join(store, key)) from error


def _damaged(path: str) -> IntegrityError:
    return IntegrityError(
        f"{path} can't be read",
        why="it should name a project that uses this cache",
        hint=f"Remove it with `rm {path}`; the project notes itself again at its next command",
    )
