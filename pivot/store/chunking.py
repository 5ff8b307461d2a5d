"""Cutting large files by content, so that an edit re-stores a few chunks and not the file.

Source: W. Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data
Deduplication", USENIX ATC 2016, with normalised chunking. The parameters belong to format 1:
other ones would cut the same file elsewhere and end deduplication against what is stored.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

NORMALIZATION: Final = 1


class Cutting(NamedTuple):
    """How one kind of content is cut; sizes in bytes.

    Content of up to `threshold` bytes stays whole, so no entry of data is larger than a chunk.
    """

    threshold: int
    smallest: int
    average: int
    largest: int


FILES = Cutting(1 << 20, 64 << 10, 256 << 10, 1 << 20)
# A line of a listing is a hundred bytes, and a change touches one: smaller chunks keep what an
# edit among many files costs in proportion.
TREES = Cutting(64 << 10, 4 << 10, 16 << 10, 64 << 10)
THRESHOLD = FILES.threshold


class Readable(Protocol):
    """What can be cut: an open binary file, or a stream that is being made."""

    def read(self, n: int, /) -> bytes:
        """Up to `n` bytes; empty at the end."""
        ...


def cut(stream: Readable, cutting: Cutting = FILES) -> Iterator[bytes]:
    """The chunks of a stream, in order; the last may be shorter than the smallest."""
    # It takes 25 ms to import, and most commands cut nothing.
    from pyfastcdc import FastCDC  # noqa: PLC0415

    cutter = FastCDC(
        avg_size=cutting.average,
        min_size=cutting.smallest,
        max_size=cutting.largest,
        normalized_chunking=NORMALIZATION,
    )
    for chunk in cutter.cut_stream(stream):
        # The chunker reuses its window: what it hands out is good until the next one.
        yield bytes(chunk.data)
