"""Tombstones: packs of a remote that will be deleted after a grace.

`tombstones/<name>.json` is `{"format": 1, "packs": [32 hex digits, ...]}`. Packs named there count
as absent when a push decides what to send, and can still be read.
"""

import json
from typing import Final

from pivot.errors import IntegrityError, PivotError
from pivot.store.entry import FileName
from pivot_remotes.keys import is_key

FOLDER: Final = "tombstones"
FORMAT: Final = 1


def is_tombstone(key: str) -> bool:
    """Whether a key may name one: a file of its folder, which can't lead anywhere else."""
    folder, _, name = key.rpartition("/")
    return folder == FOLDER and name.endswith(".json") and is_key(key)


def decode(data: bytes, key: str, address: str) -> frozenset[FileName]:
    """The packs that a tombstone names.

    Raises `IntegrityError` if it can't be read, `PivotError` if its format is newer: guessing
    could make a push rely on packs that are about to go.
    """
    try:
        value = json.loads(data)
        version, texts = value["format"], value["packs"]
        names = [FileName.parse(str(text)) for text in texts]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(key, address) from error
    if type(version) is int and version > FORMAT:
        raise PivotError(
            f"{key} in {address} has a format newer than this Pivot reads",
            hint="Upgrade with `pip install --upgrade pivot`",
        )
    packs = frozenset(name for name in names if name is not None)
    if version != FORMAT or type(version) is not int or len(packs) != len(names):
        raise _damaged(key, address)
    return packs


def encode(packs: frozenset[FileName]) -> bytes:
    """A tombstone for `packs`."""
    names = sorted(str(pack) for pack in packs)
    return (json.dumps({"format": FORMAT, "packs": names}) + "\n").encode()


def _damaged(key: str, address: str) -> IntegrityError:
    return IntegrityError(
        f"{key} in {address} is damaged",
        why="it is no list of packs",
        hint=f"Restore `{key}` there from a backup, or run the garbage collection again",
    )
