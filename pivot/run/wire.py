"""Messages between an executor and its server: JSON objects, one a line, over a socket."""

import json
from collections.abc import Mapping
from typing import Any

from pivot.hashing import Json

READ_SIZE = 1 << 16


def encode(message: Mapping[str, Json]) -> bytes:
    """`message` as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Inbox:
    """Puts messages together from the pieces in which they arrive."""

    __slots__ = ("_partial",)

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, piece: bytes) -> list[dict[str, Any]]:
        """The messages that `piece` completes, in order."""
        self._partial += piece
        if b"\n" not in piece:
            return []
        *lines, rest = self._partial.split(b"\n")
        self._partial = bytearray(rest)
        return [json.loads(line) for line in lines]
