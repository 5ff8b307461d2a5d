"""Notes of projects, which a collection must not pass over."""

import json

import pytest

from pivot.errors import IntegrityError
from pivot.store.projects import pushers, registered
from pivot.store.pushers import Pusher

WINE = Pusher("github.com/ada/wine", "")


def test_a_note_that_claims_to_be_of_both_kinds_is_passed_over_by_nobody(tmp_path):
    note = tmp_path / WINE.key
    note.parent.mkdir()
    note.write_bytes(WINE.encode())
    assert registered(str(tmp_path)) == []
    assert pushers(str(tmp_path)) == [WINE]
    both = {**json.loads(WINE.encode()), "root": "/home/ada/wine", "host": "h", "inode": 1}
    note.write_text(json.dumps(both))
    with pytest.raises(IntegrityError, match="can't be read"):
        registered(str(tmp_path))
