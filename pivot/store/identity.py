"""Which store a folder is: `pivot-store.json`, written once."""

import json
import os
from typing import NamedTuple, Self

from pivot.errors import IntegrityError, PivotError
from pivot.files import open_regular
from pivot.store.entry import FileName

FORMAT = 1
STORE_KEY = "pivot-store.json"
MAX_ID_SIZE = 4096


class StoreId(NamedTuple):
    """Which store this is, wherever it is mounted; and the format it was made in."""

    text: str
    format: int

    def encode(self) -> bytes:
        return (json.dumps({"format": self.format, "id": self.text}) + "\n").encode()

    @classmethod
    def fresh(cls) -> Self:
        return cls(os.urandom(16).hex(), FORMAT)

    @classmethod
    def decode(cls, data: bytes, place: str) -> Self:
        """Read `pivot-store.json` of the store at `place` (for messages)."""
        try:
            value = json.loads(data)
            format_, text = value["format"], value["id"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _no_store(place) from error
        if type(format_) is int and format_ > FORMAT:
            raise PivotError(
                f"the store {place} has format {format_}, newer than this Pivot reads",
                hint="Upgrade with `pip install --upgrade pivot`",
            )
        if type(format_) is not int or format_ != FORMAT or not _is_store_id(text):
            raise _no_store(place)
        return cls(text, format_)


def _is_store_id(text: object) -> bool:
    return isinstance(text, str) and FileName.parse(text) is not None


def _no_store(place: str) -> IntegrityError:
    return IntegrityError(
        f"{place} is no Pivot store",
        why=f"its {STORE_KEY} can't be read",
        hint="Name another folder or URL, or mend a cache with `pivot verify --repair`",
    )


def read_id(root: str) -> bytes | None:
    """What tells of the store at `root`; None where none is."""
    try:
        with open(open_regular(os.path.join(root, STORE_KEY)), "rb") as f:
            return f.read(MAX_ID_SIZE)
    except FileNotFoundError:
        return None
    except IntegrityError as error:
        raise _no_store(root) from error
