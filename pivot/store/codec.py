"""Compressing blocks, and opening them without trusting what they declare."""

from enum import IntEnum

import zstandard

from pivot.errors import IntegrityError

DEFAULT_LEVEL = 1
# A frame larger than this is never allocated, whatever its header says. The largest block that
# format 1 writes is a recipe (36 bytes a chunk: 64 MiB describe about 500 GB).
MAX_RAW_SIZE = 64 << 20
# What compressing must save to be worth undoing it at every read.
MIN_GAIN = 0.05


class Codec(IntEnum):
    """How a block's bytes are stored; the number stands in packs and indexes."""

    RAW = 0
    ZSTD = 1


class Compressor:
    """Compresses blocks at one level; an instance belongs to one thread."""

    def __init__(self, level: int = DEFAULT_LEVEL) -> None:
        self._zstd = zstandard.ZstdCompressor(level=level)

    def compress(self, raw: bytes) -> tuple[Codec, bytes]:
        """The block as it is to be stored: raw when compressing gains under 5 %."""
        packed = self._zstd.compress(raw)
        size = len(raw)
        if len(packed) > size * (1 - MIN_GAIN):
            return Codec.RAW, raw
        return Codec.ZSTD, packed


def decompress(codec: int, stored: bytes, raw_size: int) -> bytes:
    """The `raw_size` bytes of a stored block.

    Raises `IntegrityError` if the frame is damaged, or declares another size or a window larger
    than its content: both are checked before anything is allocated.
    """
    if raw_size > MAX_RAW_SIZE:
        raise IntegrityError(f"a block declares {raw_size} bytes, more than any block has")
    if codec == Codec.RAW:
        if len(stored) != raw_size:
            raise IntegrityError("a raw block has another size than it declares")
        return stored
    if codec != Codec.ZSTD:
        raise IntegrityError(f"a block uses the unknown codec {codec}")
    try:
        frame = zstandard.get_frame_parameters(stored)
        if frame.content_size != raw_size or frame.window_size > max(raw_size, 1024):
            raise IntegrityError("a compressed block has another size than it declares")
        raw = zstandard.ZstdDecompressor().decompress(
            stored, max_output_size=raw_size, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise IntegrityError("a compressed block can't be opened", why=str(error)) from error
    if len(raw) != raw_size:
        raise IntegrityError("a compressed block has another size than it declares")
    return raw
