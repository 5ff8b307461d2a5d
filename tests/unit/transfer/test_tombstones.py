import json

import pytest

from pivot.errors import IntegrityError, PivotError
from pivot.store.entry import FileName
from pivot.transfer.tombstones import decode, encode


def test_what_was_written_is_read():
    packs = frozenset({FileName.fresh(), FileName.fresh()})
    assert decode(encode(packs), "tombstones/a.json", "/remote") == packs


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"format": 1, "packs": ["zz"]}',
        b'{"format": 1, "packs": 3}',
        *(b'{"format": %s, "packs": []}' % v for v in (b"0", b"-1", b'"1"', b"true", b"null")),
        *(b'{"format": %s, "packs": []}' % v for v in (b"1.0", b"1e999", b"NaN", b"[1]")),
    ],
)
def test_a_damaged_one_is_named(data):
    with pytest.raises(IntegrityError, match=r"tombstones/a\.json in /remote"):
        decode(data, "tombstones/a.json", "/remote")


def test_every_flipped_byte_is_refused_or_names_the_same_pack():
    """Where the word `check` itself is harmed, it is one of those that had none."""
    pack = FileName.fresh()
    data = encode(frozenset({pack}))
    for at in range(len(data)):
        for pattern in (0x01, 0x80, 0xFF):
            harmed = bytearray(data)
            harmed[at] ^= pattern
            try:
                named = decode(bytes(harmed), "tombstones/a.json", "/remote")
            except PivotError:
                continue
            assert named == {pack}
            assert json.loads(harmed)["format"] == 1
    for length in range(len(data) - 1):
        with pytest.raises(IntegrityError):
            decode(data[:length], "tombstones/a.json", "/remote")


def test_a_newer_one_is_not_guessed_at():
    with pytest.raises(PivotError, match="newer"):
        decode(b'{"format": 2, "packs": []}', "tombstones/a.json", "/remote")
