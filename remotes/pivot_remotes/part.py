"""A part of an object, from a storage that may send everything."""

from collections.abc import Buffer, Iterable


class Part:
    """Collects `length` bytes of a body after its first `skip`, holding no more than a block more.

    Sizes are in bytes.
    """

    __slots__ = ("_data", "_length", "_skip")

    def __init__(self, skip: int, length: int) -> None:
        self._skip = skip
        self._length = length
        self._data = bytearray()

    def take(self, block: Buffer) -> bool:
        """Take what is wanted of the next block; whether that was the last."""
        view = memoryview(block)
        self._data += view[self._skip :]
        self._skip = max(0, self._skip - len(view))
        return len(self._data) >= self._length

    def take_all(self, blocks: Iterable[Buffer]) -> bytes:
        """The part, or less where the body ends before; what comes after it isn't waited for."""
        for block in blocks:
            if self.take(block):
                break
        return self.whole()

    def whole(self) -> bytes:
        return bytes(self._data[: self._length])
