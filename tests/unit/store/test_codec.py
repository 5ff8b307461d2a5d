import base64
import os
import random
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.errors import IntegrityError
from pivot.store.codec import (
    MAX_RAW_SIZE,
    SAMPLE_SIZE,
    SAMPLED_SIZE,
    SAMPLES,
    Codec,
    Compressor,
    decompress,
    sample,
)

TEXT = b"all work and no play makes a dull block\n" * 100


CHUNK = 256 << 10


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def rows(size, seed=0):
    """A table of numbers, as CSV."""
    rng = random.Random(seed)
    lines = (b"%d,%d,%d\n" % (n, *rng.choices(range(99999), k=2)) for n in range(size // 8))
    return b"".join(lines)[:size]


def skewed(size, seed=0):
    """Entropy-coded bytes that aren't quite even, as in a JPEG: no repetitions, 3 % to gain."""
    rng = random.Random(seed)
    return bytes(rng.choices(range(256), [2] * 112 + [1] * 144, k=size))


def doubles(size, seed=0):
    """A column of measurements in binary: signs and exponents are alike, the rest is noise."""
    rng = random.Random(seed)
    return struct.pack(f"<{size // 8}d", *(rng.gauss(0, 1) for _ in range(size // 8)))


def counts(size, seed=0):
    """A column of small whole numbers in eight bytes each."""
    rng = random.Random(seed)
    return struct.pack(f"<{size // 8}q", *(rng.randrange(10**4) for _ in range(size // 8)))


DENSE = {
    "noise": noise(CHUNK),
    "zip": zlib.compress(rows(3 * CHUNK))[:CHUNK],
    "jpeg": skewed(CHUNK),
    "doubles": doubles(CHUNK),
    "columns, compressed": b"".join(zlib.compress(counts(50_000, n)) for n in range(20))[:CHUNK],
    "noise behind a header": rows(2000) + noise(CHUNK),
}
GAINING = {
    "table": rows(CHUNK),
    "columns": counts(CHUNK),
    "base64": base64.b64encode(noise(CHUNK)),
    "text behind noise": noise(CHUNK // 4) + rows(CHUNK * 3 // 4),
    "noise behind text": rows(CHUNK // 4) + noise(CHUNK * 3 // 4),
    "text within noise": noise(CHUNK // 3) + rows(CHUNK // 3) + noise(CHUNK // 3, 1),
    "noise that comes twice": noise(100_000) * 2,
    "zeros between samples": noise(CHUNK // 2) + bytes(28_000) + noise(CHUNK // 2, 1),
}
LEVELS = (1, 3, 9)

pieces = st.tuples(
    st.sampled_from([noise, rows, skewed, counts, lambda size, _: bytes(size)]),
    st.integers(0, 60_000),
    st.integers(0, 5),
)
mixtures = st.lists(pieces, max_size=6).map(lambda ps: b"".join(p(n, seed) for p, n, seed in ps))
small = st.binary(max_size=5000) | st.binary(min_size=1, max_size=40).map(lambda b: b * 200)


@settings(deadline=None)
@given(small | mixtures, st.sampled_from(LEVELS))
def test_what_is_compressed_opens_to_the_same_bytes_and_never_grew(raw, level):
    codec, stored = Compressor(level).compress(raw)
    assert decompress(codec, stored, len(raw)) == raw
    assert stored == raw if codec is Codec.RAW else len(stored) <= 0.95 * len(raw)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", DENSE)
def test_large_blocks_that_gain_nothing_are_kept_raw(kind, level):
    assert Compressor(level).compress(DENSE[kind]) == (Codec.RAW, DENSE[kind])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", GAINING)
def test_large_blocks_are_judged_by_all_of_their_parts(kind, level):
    codec, stored = Compressor(level).compress(GAINING[kind])
    assert codec is Codec.ZSTD
    assert len(stored) <= 0.95 * len(GAINING[kind])


@pytest.mark.parametrize("kind", DENSE)
def test_the_level_asked_for_is_not_tried_where_a_sample_gains_nothing(kind):
    """Else level 19 would take minutes for a gigabyte of pictures, and gain nothing."""
    compressor = Compressor(19)
    compressor._zstd = None
    assert compressor.compress(DENSE[kind])[0] is Codec.RAW


@given(st.integers(SAMPLED_SIZE, 2 * CHUNK))
def test_a_sample_reaches_from_a_block_s_start_to_its_end(size):
    numbers = struct.pack(f"<{size // 4}I", *range(size // 4))
    taken = sample(numbers)
    assert len(taken) == SAMPLES * SAMPLE_SIZE
    assert taken[:4] == numbers[:4]
    assert taken[-SAMPLE_SIZE:] in numbers[-SAMPLE_SIZE - SAMPLES :]


def test_threads_compress_with_one_compressor_at_once():
    compressor, texts = Compressor(), [rows(CHUNK, seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(compressor.compress, texts))
    assert found == [Compressor().compress(text) for text in texts]


def test_text_is_compressed_and_noise_is_kept_raw():
    assert Compressor().compress(TEXT)[0] is Codec.ZSTD
    noise = os.urandom(4096)
    assert Compressor().compress(noise) == (Codec.RAW, noise)


def test_a_gain_under_five_percent_is_not_worth_it():
    raw = os.urandom(4000) + bytes(100)  # compresses to about 98 %
    assert Compressor().compress(raw) == (Codec.RAW, raw)


def test_an_empty_block_is_raw():
    assert Compressor().compress(b"") == (Codec.RAW, b"")
    assert decompress(Codec.RAW, b"", 0) == b""


@pytest.mark.parametrize("size", [0, len(TEXT) - 1, len(TEXT) + 1])
def test_another_size_than_declared_is_refused(size):
    for codec, stored in (Compressor().compress(TEXT), (Codec.RAW, TEXT)):
        with pytest.raises(IntegrityError):
            decompress(codec, stored, size)


def test_a_bomb_is_refused_before_it_is_opened():
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    for declared in (100, len(bomb)):
        with pytest.raises(IntegrityError, match="another size"):
            decompress(Codec.ZSTD, bomb, declared)


def test_more_than_any_block_has_is_refused_whatever_the_frame_says():
    with pytest.raises(IntegrityError, match="more than any block"):
        decompress(Codec.ZSTD, b"", MAX_RAW_SIZE + 1)


def test_a_giant_window_is_refused():
    """The window, not the content, decides how much a decoder allocates."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(TEXT) + compressor.flush()
    assert zstandard.get_frame_parameters(frame).window_size == 1 << 27
    with pytest.raises(IntegrityError):
        decompress(Codec.ZSTD, frame, len(TEXT))


def test_a_giant_window_beside_a_true_size_is_refused():
    """A frame made by hand: window descriptor 2^27, content size 5, one raw block of 5 bytes."""
    head = struct.pack("<IBB", 0xFD2FB528, 0x80, (27 - 10) << 3) + struct.pack("<I", 5)
    frame = head + (5 << 3 | 1).to_bytes(3, "little") + b"hello"
    assert zstandard.get_frame_parameters(frame).content_size == 5
    with pytest.raises(IntegrityError, match="another size"):
        decompress(Codec.ZSTD, frame, 5)


def test_bytes_after_a_frame_are_refused():
    _, stored = Compressor().compress(TEXT)
    with pytest.raises(IntegrityError):
        decompress(Codec.ZSTD, stored + b"x", len(TEXT))


def test_an_unknown_codec_is_refused():
    with pytest.raises(IntegrityError, match="unknown codec 2"):
        decompress(2, TEXT, len(TEXT))


def test_every_damaged_byte_is_an_integrity_error_or_caught_by_the_hash():
    _, stored = Compressor().compress(TEXT)
    for at in range(len(stored)):
        for damaged in (stored[:at], stored[:at] + bytes([stored[at] ^ 0xFF]) + stored[at + 1 :]):
            try:
                raw = decompress(Codec.ZSTD, damaged, len(TEXT))
            except IntegrityError:
                continue
            assert len(raw) == len(TEXT)
