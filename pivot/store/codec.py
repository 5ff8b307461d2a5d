"""Compressing blocks, and opening them without trusting what they declare."""

import threading
from enum import IntEnum

from pivot.errors import IntegrityError

DEFAULT_LEVEL = 1
# A frame larger than this is never allocated, whatever its header says. The largest block that
# format 1 writes is a recipe (36 bytes a chunk: 64 MiB describe about 500 GB).
MAX_RAW_SIZE = 64 << 20
# What compressing must save to be worth undoing it at every read.
MIN_GAIN = 0.05
# Of blocks from this size on, in bytes, a sample is tried first: 8 KiB of it.
SAMPLED_SIZE = 64 << 10
SAMPLES = 8
SAMPLE_SIZE = 1 << 10
MIN_REPEATED = 0.01
# A zstd level that looks for repetitions and codes nothing else, so it runs over bytes without
# any at 8 GB/s.
_REPETITIONS = -1


class Codec(IntEnum):
    """How a block's bytes are stored; the number stands in packs and indexes."""

    RAW = 0
    ZSTD = 1


class Compressor(threading.local):
    """Compresses blocks at one level; each thread that uses it has contexts of its own.

    Whether a larger block is worth it is tried on a sample of it, whatever its name or its first
    bytes are: of JPEG-like data, which zstd can't shrink, nine tenths of the time are saved at
    level 1, and nearly all at higher ones.
    """

    def __init__(self, level: int = DEFAULT_LEVEL) -> None:
        import zstandard  # noqa: PLC0415 - whoever only asks what a store has opens no block

        self._zstd = zstandard.ZstdCompressor(level=level)
        self._taster = zstandard.ZstdCompressor(level=1)
        self._scanner = zstandard.ZstdCompressor(level=_REPETITIONS)

    def compress(self, raw: bytes) -> tuple[Codec, bytes]:
        """The block as it is to be stored: raw when compressing gains under 5 %."""
        if len(raw) >= SAMPLED_SIZE and self._seems_dense(raw):
            return Codec.RAW, raw
        packed = self._zstd.compress(raw)
        return (Codec.ZSTD, packed) if _is_gain(packed, raw) else (Codec.RAW, raw)

    def _seems_dense(self, raw: bytes) -> bool:
        """Whether neither a sample can be compressed nor anything in the whole repeats itself.

        A sample shows how bytes are distributed, but not that 100 KB of noise come twice, and
        little of a stretch of text among noise.
        """
        taste = sample(raw)
        if _is_gain(self._taster.compress(taste), taste):
            return False
        return len(self._scanner.compress(raw)) > len(raw) * (1 - MIN_REPEATED)


def sample(raw: bytes) -> bytes:
    """Pieces from the start to the end of a block, at equal distances."""
    step = (len(raw) - SAMPLE_SIZE) // (SAMPLES - 1)
    return b"".join(raw[n * step : n * step + SAMPLE_SIZE] for n in range(SAMPLES))


def _is_gain(packed: bytes, raw: bytes) -> bool:
    return len(packed) <= len(raw) * (1 - MIN_GAIN)


def decompress[T: (bytes, bytes | memoryview)](codec: int, stored: T, raw_size: int) -> T:
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
    import zstandard  # noqa: PLC0415 - as for compressing

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
