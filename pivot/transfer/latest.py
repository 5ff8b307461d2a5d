"""`index/latest.json`: what a remote lists, written down for readers that can't list it.

    {"format": 1, "indexes": [32 hex digits, ...], "tombstones": [keys, ...]}

It is put after a push by writers that were told to (`publish`), and nothing relies on it where the
storage can list: two pushes that end together may leave the names of one of them out, until the
next one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.store.entry import FileName
from pivot.transfer.tombstones import is_tombstone

KEY: Final = "index/latest.json"
FORMAT: Final = 1
_PUBLISH: Final = "Run `pivot push` to the remote that has the option `publish = true`"


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of a remote's indexes, and the keys of its tombstones."""

    indexes: frozenset[FileName]
    tombstones: frozenset[str]

    def encode(self) -> bytes:
        value = {
            "format": FORMAT,
            "indexes": sorted(map(str, self.indexes)),
            "tombstones": sorted(self.tombstones),
        }
        return (json.dumps(value) + "\n").encode()

    @classmethod
    def decode(cls, data: bytes, address: str) -> Self:
        """Read what `encode` wrote.

        Raises `IntegrityError` if it can't be read, `PivotError` if its format is newer.
        """
        try:
            value = json.loads(data)
            version, indexes = value["format"], _texts(value["indexes"])
            tombstones = _texts(value["tombstones"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(address) from error
        if type(version) is int and version > FORMAT:
            raise PivotError(
                f"{KEY} in {address} has a format newer than this Pivot reads",
                hint="Upgrade with `pip install --upgrade pivot`",
            )
        names = frozenset(name for text in indexes if (name := FileName.parse(text)) is not None)
        is_ours = type(version) is int and version == FORMAT and len(names) == len(indexes)
        if not is_ours or not all(map(is_tombstone, tombstones)):
            raise _damaged(address)
        return cls(names, frozenset(tombstones))


def _texts(values: Iterable[object]) -> list[str]:
    """`values` as a list; raises `TypeError` unless all are texts."""
    found = [value for value in values if isinstance(value, str)]
    if not isinstance(values, list) or len(found) != len(values):
        raise TypeError
    return found


def outdated(address: str, missing: str) -> MissingDataError:
    """The error for a list that names what isn't there; `missing` says what."""
    return MissingDataError(f"{KEY} in {address} is out of date", why=missing, hint=_PUBLISH)


def _damaged(address: str) -> IntegrityError:
    return IntegrityError(
        f"{KEY} in {address} is damaged",
        why="it is no list of indexes",
        hint=_PUBLISH,
    )
