"""Cutting large files by content, so that an edit re-stores a few chunks and not the file.

Source: W. Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data
Deduplication", USENIX ATC 2016, with normalised chunking. The parameters belong to format 1:
other ones would cut the same file elsewhere and end deduplication against what is stored.
"""

from collections.abc import Iterator
from typing import Final, Protocol

MIN_SIZE = 64 << 10
AVERAGE_SIZE = 256 << 10
MAX_SIZE = 1 << 20
# Files up to this size are one entry; so no data entry is larger than the largest chunk.
THRESHOLD = MAX_SIZE
NORMALIZATION: Final = 1


class Readable(Protocol):
    """What can be cut: an open binary file, or a stream that is being made."""

    def read(self, n: int, /) -> bytes:
        """Up to `n` bytes; empty at the end."""
        ...


def cut(stream: Readable) -> Iterator[bytes]:
    """The chunks of a stream, in order: 64 KiB to 1 MiB each (the last may be shorter)."""
    # It takes 25 ms to import, and most commands cut nothing.
    from pyfastcdc import FastCDC  # noqa: PLC0415

    cutter = FastCDC(
        avg_size=AVERAGE_SIZE,
        min_size=MIN_SIZE,
        max_size=MAX_SIZE,
        normalized_chunking=NORMALIZATION,
    )
    for chunk in cutter.cut_stream(stream):
        # The chunker reuses its window: what it hands out is good until the next one.
        yield bytes(chunk.data)
