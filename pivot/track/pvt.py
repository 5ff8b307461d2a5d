"""A `.pvt` file: what a tracked path holds. It stands beside the data and belongs into Git.

The lock's little sister, and canonical JSON like it: a fixed order of fields, no times, and a last
line that is a hash of all lines above. `data/raw.pvt`, with ids shortened:

    {
      "format": 1,
      "path": "raw",
      "type": "d",
      "id": "1456…",
      "size": 303,
      "files": 5,
      "check": "c0de…"}
"""

import json
import os
import unicodedata
from collections.abc import Mapping

from pivot.files import fsync_dir, open_nofollow, write_atomic
from pivot.hashing import Json
from pivot.lock.fields import Fields, content_row, read_content
from pivot.lock.sealed import UnreadableLockError, seal, unseal
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType

SUFFIX = ".pvt"
FORMAT = 1
CHECK_CONTEXT = "pivot tracked check 1"


def pvt_path(path: RepoPath) -> RepoPath:
    """The `.pvt` file of what is tracked at `path`."""
    return RepoPath(path + SUFFIX)


def encode(name: str, content: Content) -> bytes:
    """The bytes of a `.pvt` file; `name` is the last component of the tracked path."""
    row: dict[str, Json] = {"format": FORMAT, "path": name, **content_row(content)}
    fields = ((key, json.dumps(value, ensure_ascii=False)) for key, value in row.items())
    return seal(fields, CHECK_CONTEXT)


def decode(data: bytes, place: str) -> Content:
    """What the `.pvt` file at `place`, relative to the project, says that its path holds.

    Raises `NewerLockError`, or `UnreadableLockError` for anything that isn't exactly what some
    Pivot wrote there: conflict markers, a cut-off end, an edited line, another path's file.
    """
    name = unicodedata.normalize("NFC", os.path.basename(place).removesuffix(SUFFIX))

    if not data.lstrip().startswith(b"{"):
        raise UnreadableLockError(
            f"{place} can't be read",
            why="it is no record of tracked data, which is JSON",
            hint="If it is another program's, give it another name; otherwise take back a committed"
            f" version with `git checkout HEAD -- {place}`",
        )

    def parse(fields: Mapping[str, Json]) -> Content:
        content = read_content(fields)
        if fields["path"] != name:
            raise ValueError(f"it is the record of {Fields(fields).text('path')!r}")
        if (content.type is ContentType.DIRECTORY) != (content.files is not None):
            raise ValueError("only a directory has a number of files")
        if encode(name, content) != data:
            raise ValueError("it isn't in the form that Pivot writes")
        return content

    return unseal(data, place, context=CHECK_CONTEXT, newest=FORMAT, parse=parse)


def read_pvt(root: str, path: RepoPath) -> Content | None:
    """What is tracked at `path` of the project at `root`, None where nothing is.

    Raises `UnreadableLockError`.
    """
    place = pvt_path(path)
    try:
        with open(open_nofollow(os.path.join(root, place)), "rb") as f:
            data = f.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableLockError(f"{place} can't be read", why=error.strerror) from error
    return decode(data, place)


def write_pvt(root: str, path: RepoPath, content: Content) -> None:
    """Say in the project at `root` what `path` holds, in place of what was said before."""
    data = encode(os.path.basename(path), content)
    write_atomic(os.path.join(root, pvt_path(path)), data)


def remove_pvt(root: str, path: RepoPath) -> None:
    """Track `path` no longer; its data is left alone."""
    file = os.path.join(root, pvt_path(path))
    os.unlink(file)
    fsync_dir(os.path.dirname(file))
