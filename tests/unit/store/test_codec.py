import os
import struct

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import IntegrityError
from pivot.store.codec import MAX_RAW_SIZE, Codec, Compressor, decompress

TEXT = b"all work and no play makes a dull block\n" * 100


@given(st.binary(max_size=5000) | st.binary(min_size=1, max_size=40).map(lambda b: b * 200))
def test_what_is_compressed_opens_to_the_same_bytes(raw):
    codec, stored = Compressor().compress(raw)
    assert decompress(codec, stored, len(raw)) == raw


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
