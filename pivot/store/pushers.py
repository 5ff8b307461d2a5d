"""The projects that push to a store, in `projects/` beside those that use it as their cache.

    projects/<hash>.json    {"format": 1, "repository": "github.com/ada/wine", "folder": "",
                             "host": null}

Their locks can be seen in a clone of their repository alone, so a collection has to be told of
one. A repository is named by the address it is cloned from, so that all clones of it are one
project and a fork is another; without such an address by its folder and host.
"""

import json
from typing import Final, NamedTuple, Self

from pivot.errors import IntegrityError
from pivot.hashing import hash_bytes

FOLDER: Final = "projects"
FORMAT: Final = 1
SUFFIX: Final = ".json"


class Pusher(NamedTuple):
    """A project that pushes.

    Attributes:
        repository: host and path of the Git remote it is cloned from, without credentials; or the
            absolute path of a folder on `host`.
        folder: the project's folder inside the work tree, `""` for its root.
        host: the machine's name where `repository` is a folder there.
    """

    repository: str
    folder: str
    host: str | None = None

    @property
    def id(self) -> str:
        """32 hex digits: the same in every clone."""
        text = f"{self.host or ''}\0{self.repository}\0{self.folder}"
        return hash_bytes(text.encode()).hex()[:32]

    @property
    def key(self) -> str:
        return f"{FOLDER}/{self.id}{SUFFIX}"

    @property
    def shown(self) -> str:
        """As messages name it."""
        place = f"{self.repository}/{self.folder}" if self.folder else self.repository
        return place if self.host is None else f"{place} on {self.host}"

    def encode(self) -> bytes:
        value = {
            "format": FORMAT,
            "repository": self.repository,
            "folder": self.folder,
            "host": self.host,
        }
        return (json.dumps(value, ensure_ascii=False) + "\n").encode()

    @classmethod
    def decode(cls, data: bytes, key: str, place: str) -> Self | None:
        """The project that a note names; None where it is one of a project's cache.

        Raises `IntegrityError` for one that can't be read: to pass it over could be to throw away
        what that project needs.
        """
        try:
            value = json.loads(data)
            if "root" in value:
                return None
            found = cls(value["repository"], value["folder"], value["host"])
            texts = (found.repository, found.folder, found.host or "")
            is_text = all(isinstance(text, str) for text in texts)
            is_sound = value["format"] == FORMAT and is_text and found.key == key
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(key, place) from error
        if not is_sound:
            raise _damaged(key, place)
        return found


def _damaged(key: str, place: str) -> IntegrityError:
    return IntegrityError(
        f"{key} in {place} can't be read",
        why="it should name a project that pushes there",
        hint=f"Remove `{key}` there; the project notes itself again with a push within a week",
    )
