import pytest

from pivot.errors import IntegrityError, PivotError
from pivot.store.entry import FileName
from pivot.transfer.tombstones import decode, encode


def test_what_was_written_is_read():
    packs = frozenset({FileName.fresh(), FileName.fresh()})
    assert decode(encode(packs), "tombstones/a.json", "/remote") == packs


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"format": 1, "packs": ["zz"]}', b'{"format": 1, "packs": 3}', b"\xff"],
)
def test_a_damaged_one_is_named(data):
    with pytest.raises(IntegrityError, match=r"tombstones/a\.json in /remote"):
        decode(data, "tombstones/a.json", "/remote")


def test_a_newer_one_is_not_guessed_at():
    with pytest.raises(PivotError, match="newer"):
        decode(b'{"format": 2, "packs": []}', "tombstones/a.json", "/remote")
