"""The small interface that every storage has, and every wrapper of one.

All calls block, and may be made from several threads at once. Sizes and offsets are in bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

# What a client read, without copying it.
type Bytes = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a storage can do, as data, so that nobody asks for its class.

    Attributes:
        can_list: `list` works (plain HTTP servers can't).
        can_write: `put`, `put_file` and `delete` work.
        atomic_put: a reader sees the whole new object or none of it, also when a writer dies.
        ranges: `get_range` costs about the range, not the whole object.
        page_size: how many objects one request lists; None where listing isn't paged.
        delete_size: how many objects one request deletes.
        atomic_replace: a reader never misses an object while it is replaced by another.
        part_size: size from which `put_file` sends an object in parts of it; None for never.
        around_parts: requests that such an object takes besides those of its parts.
    """

    can_list: bool
    can_write: bool
    atomic_put: bool
    ranges: bool
    page_size: int | None = None
    part_size: int | None = None
    around_parts: int = 2
    delete_size: int = 1
    atomic_replace: bool = True


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing shows it.

    Attributes:
        modified: when it was put, in seconds since 1970 by the storage's clock; None where the
            listing doesn't tell. It is no part of what makes two infos equal.
    """

    key: str
    size: int
    modified: float | None = field(default=None, compare=False)


class Backend(Protocol):
    """Keys and bytes. Keys are checked by `pivot_remotes.keys`; `BadKey` is raised for others.

    Any call may raise `AccessDenied`, `Unreachable`, `BadAddress` or another `RemoteError`.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def address(self) -> str:
        """The URL for messages: without credentials."""
        ...

    def list(self, prefix: str) -> list[ObjectInfo]:
        """Every object below the folder `prefix` (`""`: all), at any depth, sorted by key.

        A prefix is whole parts, with or without a final `/`: `a` and `a/` list `a/b`, not `ab`.
        Keys are relative to the remote's root. Where nothing is, the list is empty. Objects that
        are still being written are not listed.
        """
        ...

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        """Exactly `length` bytes from offset `start`.

        Raises `NotFound`, and `Truncated` where the object ends before.
        """
        ...

    def get(self, key: str) -> bytes:
        """A whole object, for small ones. Raises `NotFound`.

        One that is larger than anyone should hold in memory may be refused by a `RemoteError`.
        """
        ...

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        """Stream an object into a new local file, in bounded memory.

        Nothing is left at `path` on failure; a file that was there is an error, and kept.
        Raises `NotFound`, and `Overlong` for an object of more than `limit` bytes.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object; it is never visible half written."""
        ...

    def put_file(self, key: str, path: str) -> None:
        """`put` the content of a local file, in bounded memory."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is absent is fine."""
        ...

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects, in as few requests as the storage can; absent ones are fine.

        Where that fails, some of them may be gone.
        """
        ...
