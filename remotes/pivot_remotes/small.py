"""Small objects, which are held in memory whole: none may be larger than anyone is ready for.

Nobody need have listed them before, and whoever may write to a storage can put there what they
like; a web server's answer may even have no end.
"""

from collections.abc import Iterable
from typing import Final

from pivot_remotes.errors import RemoteError

LIMIT: Final = 256 << 20


class Small:
    """Collects the bytes of a small object as they come; raises `RemoteError` for too many."""

    __slots__ = ("_address", "_data", "_key")

    def __init__(self, key: str, address: str) -> None:
        self._key = key
        self._address = address
        self._data = bytearray()

    def take(self, block: bytes) -> None:
        check_size(len(self._data) + len(block), self._key, self._address)
        self._data += block

    def take_all(self, blocks: Iterable[bytes]) -> bytes:
        """All of them as one."""
        for block in blocks:
            self.take(block)
        return self.whole()

    def whole(self) -> bytes:
        return bytes(self._data)


def check_size(size: int, key: str, address: str) -> None:
    """Raise `RemoteError` for an object of so many bytes, if they are too many."""
    if size > LIMIT:
        raise RemoteError(
            f"{key or 'a listing'} in {address} is larger than any small file",
            why=f"it has more than {LIMIT >> 20} MiB",
            hint="Check the remote's URL, and what lies there",
        )
