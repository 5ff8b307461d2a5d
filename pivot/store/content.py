"""What a path holds, as an id: the value that locks, trees and plans speak in."""

from enum import StrEnum
from typing import NamedTuple

from pivot.hashing import ObjectId


class ContentType(StrEnum):
    """`f` a file, `x` an executable file, `d` a directory (its id is that of its tree)."""

    FILE = "f"
    EXECUTABLE = "x"
    DIRECTORY = "d"


class Content(NamedTuple):
    """The content of a file or directory; a tuple, since there is one for each file.

    Attributes:
        id: BLAKE3 of the file's bytes, or of the directory's tree.
        size: bytes of the file, or of all files in the directory.
        recipe: how to put the file (or tree) together, where it was cut into chunks.
        files: how many files a directory holds; None for a file.
    """

    type: ContentType
    id: ObjectId
    size: int
    recipe: ObjectId | None = None
    files: int | None = None
