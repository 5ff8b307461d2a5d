import os

import pytest
from blake3 import blake3

from pivot.errors import IntegrityError, PivotError
from pivot.hashing import hash_bytes
from pivot.store.codec import MAX_RAW_SIZE, Codec, Compressor, decompress
from pivot.store.entry import BlockPlace, Entry, FileName, Kind
from pivot.store.pack import MissingPackError, PackWriter, pack_key, read_stored, scan

NAME = FileName(range(16))
SMALL = (b"one", b"", b"three")
TEXT = b"a line of text that repeats\n" * 20


@pytest.fixture
def folder(store):
    return store.root


def write(root, *, name=NAME):
    """A pack of two blocks: three small entries together, raw; and a compressed one."""
    writer = PackWriter.open(root, name=name)
    entries = [Entry(hash_bytes(part), Kind.DATA, len(part)) for part in SMALL]
    writer.append(Codec.RAW, b"".join(SMALL), 8, entries)
    codec, stored = Compressor().compress(TEXT)
    writer.append(codec, stored, len(TEXT), [Entry(hash_bytes(TEXT), Kind.DATA, len(TEXT))])
    return writer.finish()


def data_of(root):
    with open(os.path.join(root, pack_key(NAME)), "rb") as f:
        return f.read()


def resealed(data):
    """A forged pack: changed, and given a checksum that fits."""
    return data[:-40] + blake3(data[:-40]).digest() + data[-8:]


def test_a_pack_explains_itself(folder):
    info = write(folder)
    assert scan(data_of(folder), NAME) == info
    assert info.size == len(data_of(folder))
    assert [entry.id for block in info.blocks for entry in block.entries] == [
        hash_bytes(part) for part in (*SMALL, TEXT)
    ]


def test_blocks_are_read_from_their_places(folder):
    first, second = write(folder).blocks
    assert read_stored(folder, first.place) == b"".join(SMALL)
    place = second.place
    assert decompress(place.codec, read_stored(folder, place), place.raw) == TEXT


def test_nothing_is_there_before_a_pack_is_finished_or_after_it_is_abandoned(folder, files_of):
    before = files_of(folder)
    writer = PackWriter.open(folder, name=NAME)
    writer.append(Codec.RAW, b"one", 3, [Entry(hash_bytes(b"one"), Kind.DATA, 3)])
    assert not os.path.exists(os.path.join(folder, pack_key(NAME)))
    writer.abandon()
    assert files_of(folder) == before


def test_a_finished_pack_is_read_only(folder):
    write(folder)
    assert os.stat(os.path.join(folder, pack_key(NAME))).st_mode & 0o222 == 0


def test_every_flipped_byte_is_detected(folder):
    write(folder)
    data = bytearray(data_of(folder))
    for at in range(len(data)):
        for bit in (0x01, 0x80):
            data[at] ^= bit
            with pytest.raises(IntegrityError):
                scan(bytes(data), NAME)
            data[at] ^= bit


def test_every_truncation_is_detected(folder):
    write(folder)
    data = data_of(folder)
    for end in range(len(data)):
        with pytest.raises(IntegrityError):
            scan(data[:end], NAME)


def test_every_forged_byte_before_the_payload_is_no_foreign_exception(folder):
    """With a checksum that fits, a pack may say anything; reading it must stay an error or sane."""
    write(folder)
    data = data_of(folder)
    for at in range(len(data) - 40):
        for bit in (0x01, 0x10, 0x80):
            forged = bytearray(data)
            forged[at] ^= bit
            try:
                info = scan(resealed(bytes(forged)), NAME)
            except PivotError:
                continue
            for block in info.blocks:
                assert block.place.offset + block.place.stored <= info.size
                assert sum(entry.size for entry in block.entries) == block.place.raw


def test_a_pack_under_another_name_is_refused(folder):
    write(folder)
    with pytest.raises(IntegrityError):
        scan(data_of(folder), FileName(bytes(16)))


def test_a_newer_format_is_refused_by_name_and_version_zero_is_damage(folder):
    write(folder)
    data = data_of(folder)
    with pytest.raises(PivotError, match="format 2, newer") as caught:
        scan(resealed(data[:8] + b"\x02\x00" + data[10:]), NAME)
    assert caught.value.hint == "Upgrade with `pip install --upgrade pivot`"
    with pytest.raises(IntegrityError, match="damaged"):
        scan(resealed(data[:8] + b"\x00\x00" + data[10:]), NAME)


def test_a_version_that_was_flipped_is_damage_and_no_newer_format(folder):
    """Its checksum tells: else nobody could repair it."""
    write(folder)
    data = data_of(folder)
    with pytest.raises(IntegrityError, match="damaged"):
        scan(data[:8] + b"\x02\x00" + data[10:], NAME)


def test_a_missing_pack_is_told_apart(folder):
    with pytest.raises(MissingPackError):
        read_stored(folder, BlockPlace(NAME, 0, 1, 1, Codec.RAW))


@pytest.mark.parametrize(
    ("offset", "stored"),
    [(0, 100_000), (10**9, 1), (2**63, 1), (2**64 - 1, 1), (0, MAX_RAW_SIZE + 1), (0, 2**32 - 1)],
)
def test_a_place_outside_its_pack_is_refused_and_allocates_nothing(folder, offset, stored):
    write(folder)
    with pytest.raises(IntegrityError):
        read_stored(folder, BlockPlace(NAME, offset, stored, stored, Codec.RAW))


def test_a_pack_that_is_a_link_is_not_followed(folder, tmp_path):
    write(folder)
    final = os.path.join(folder, pack_key(NAME))
    os.rename(final, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", final)
    with pytest.raises((PivotError, OSError)):
        read_stored(folder, BlockPlace(NAME, 0, 1, 1, Codec.RAW))
