"""The `code` of a lock, and the digest that stands for it wherever only equality matters.

Stages reach many symbols, and most commands only ask whether they are as they were. So the hashes
themselves are read when somebody looks into them, and the digest is what is compared.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from pivot.hashing import Json, ObjectId, derive

CODE_CONTEXT = "pivot code 1"
_NAME = b'\n  "code": '
_NEXT = b',\n  "packages": '
_BETWEEN = ",\n    "


class CodeHashes(Mapping[str, str]):
    """Hash by symbol, made when it is first looked into; the digest is known before."""

    def __init__(self, digest: ObjectId, make: Callable[[], Mapping[str, str]]) -> None:
        """`digest` is the `code_digest` of what `make` gives."""
        self.digest = digest
        self._make = make
        self._made: Mapping[str, str] | None = None

    @classmethod
    def of(cls, code: Mapping[str, str]) -> Self:
        """The same hashes with their digest."""
        return code if isinstance(code, cls) else cls(code_digest(code), lambda: code)

    def _all(self) -> Mapping[str, str]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, symbol: str) -> str:
        return self._all()[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CodeHashes):
            return self.digest == other.digest
        return self._all() == other

    __hash__ = None  # type: ignore[assignment]  # as other mappings

    def __repr__(self) -> str:
        return f"CodeHashes({dict(self)!r})"


def code_text(code: Mapping[str, str]) -> str:
    """The value of `code` as a lock has it: sorted by code point, one entry a line."""
    return f"{{\n    {code_lines(code)}\n  }}" if code else "{}"


def code_lines(code: Mapping[str, str]) -> str:
    """The entries alone, of which others may come before and behind."""
    text = json.dumps(dict(code), sort_keys=True, ensure_ascii=False, separators=(_BETWEEN, ": "))
    return text[1:-1]


def lines_digest(lines: Sequence[str]) -> ObjectId:
    """The digest of code of which these are the `code_lines`, in the order of their names."""
    text = f"{{\n    {_BETWEEN.join(lines)}\n  }}" if lines else "{}"
    return text_digest(text.encode())


def code_digest(code: Mapping[str, str]) -> ObjectId:
    """What stands for `code` in a key: a hash of its text in a lock."""
    return code.digest if isinstance(code, CodeHashes) else text_digest(code_text(code).encode())


def text_digest(text: bytes | memoryview) -> ObjectId:
    """The digest of hashes whose text is known."""
    return derive(CODE_CONTEXT, text)


def find_code(data: bytes) -> slice | None:
    """Where the value of `code` stands in a lock, by how a lock is laid out; nothing is parsed."""
    start = data.find(_NAME)
    stop = data.rfind(_NEXT)  # much is in the code, and little behind it
    return slice(start + len(_NAME), stop) if 0 <= start < stop else None


def without_code(data: bytes, at: slice) -> dict[str, Json]:
    """All other fields of a lock whose `code` stands at `at`, and is known to be an object.

    What stands before it and what stands behind are parsed as objects of their own. If both are
    some, and no field is in both, then all of it is an object with the fields of both. Raises
    `ValueError` or `TypeError` where that can't be said.
    """
    before, behind = data[: at.start - len(_NAME)], data[at.stop :]
    if not (before.endswith(b",") and behind.startswith(b",")):
        raise ValueError("code is no field among others")
    first, rest = json.loads(before[:-1].decode() + "}"), json.loads("{" + behind[1:].decode())
    fields: dict[str, Json] = {**first, **rest}
    if not first or not rest or "code" in fields or len(fields) != len(first) + len(rest):
        raise ValueError("a field is missing, or there twice")
    return fields
