"""Tombstones: packs of a remote that will be deleted after a grace, or that were.

`tombstones/<name>.json` is `{"format": 1, "packs": [32 hex digits, ...], "created": seconds,
"check": 64 hex digits}`: a name that is a digit off would be that of a pack which is never doomed.
Packs named there count as absent when a push decides what to send, and can still be read. With
`"deleted": true` they are gone: rows of theirs that come back, by a merge of indexes that was
under way meanwhile, stay hidden. Other members are passed over.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from pivot.errors import IntegrityError, PivotError
from pivot.store.entry import FileName
from pivot_remotes.keys import is_key

FOLDER: Final = "tombstones"
FORMAT: Final = 1
_LATEST: Final = 1 << 37  # in the year 6325


def is_tombstone(key: str) -> bool:
    """Whether a key may name one: a file of its folder, which can't lead anywhere else."""
    folder, _, name = key.rpartition("/")
    return folder == FOLDER and name.endswith(".json") and is_key(key)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Packs that will be deleted, or were (`deleted`).

    `created` is when it was made by its maker's clock, in seconds since 1970; None if unknown.
    """

    packs: frozenset[FileName]
    created: float | None = None
    deleted: bool = False

    def encode(self) -> bytes:
        value: dict[str, object] = {"format": FORMAT, "packs": sorted(map(str, self.packs))}
        if self.created is not None:
            value["created"] = round(self.created)
        if self.deleted:
            value["deleted"] = True
        return (json.dumps({**value, "check": _check(value)}) + "\n").encode()


def read(data: bytes, key: str, address: str) -> Tombstone:
    """The tombstone that an object holds.

    Raises `IntegrityError` if it can't be read, `PivotError` if its format is newer: guessing
    could make a push rely on packs that are about to go.
    """
    try:
        value = json.loads(data)
        version, texts = value["format"], value["packs"]
        names = [FileName.parse(str(text)) for text in texts]
        created, deleted = value.get("created"), value.get("deleted")
        told = value.pop("check", None)
        is_whole = told is None or told == _check(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(key, address) from error
    if type(version) is int and version > FORMAT:
        raise PivotError(
            f"{key} in {address} has a format newer than this Pivot reads",
            hint="Upgrade with `pip install --upgrade pivot`",
        )
    packs = frozenset(name for name in names if name is not None)
    is_ours = type(version) is int and version == FORMAT and len(packs) == len(names)
    if not is_ours or not is_whole:
        raise _damaged(key, address)
    return Tombstone(packs, _time(created), deleted=deleted is True)


def _time(value: object) -> float | None:
    """Seconds since 1970 that a calendar can show; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LATEST else None


def _check(value: Mapping[str, object]) -> str:
    """What `check` says of all other members, those of later versions among them."""
    return blake3(json.dumps(value, sort_keys=True).encode()).hexdigest()


def decode(data: bytes, key: str, address: str) -> frozenset[FileName]:
    """The packs that a tombstone names. Raises what `read` does."""
    return read(data, key, address).packs


def encode(packs: frozenset[FileName]) -> bytes:
    """A tombstone for `packs`."""
    return Tombstone(packs).encode()


def _damaged(key: str, address: str) -> IntegrityError:
    return IntegrityError(
        f"{key} in {address} is damaged",
        why="it is no list of packs",
        hint=f"Restore `{key}` there from a backup, or run the garbage collection again",
    )
