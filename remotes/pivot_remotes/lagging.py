"""Storage whose listings lag behind, as eventually consistent ones do, for tests."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from pivot_remotes.backend import Backend, Bytes, ObjectInfo
from pivot_remotes.wrapping import Wrapping


@dataclass(slots=True)
class _Late:
    """What listings still show of a key (None: nothing), and how many more of them will."""

    shown: ObjectInfo | None
    listings: int


class Lagging(Wrapping):
    """A backend whose changes aren't listed before `listings` more listings of their folder.

    An object that was just put isn't listed yet; one that was just deleted still is, and one that
    was replaced is shown as it was. With `reads`, so many reads of a replaced object get what it
    held before.
    """

    __slots__ = ("_late", "_listings", "_lock", "_old", "_reads")

    def __init__(self, inner: Backend, *, listings: int = 1, reads: int = 0) -> None:
        super().__init__(inner)
        self._listings = listings
        self._reads = reads
        self._late: dict[str, _Late] = {}
        self._old: dict[str, tuple[bytes, int]] = {}
        self._lock = threading.RLock()

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = prefix and prefix.removesuffix("/") + "/"
        with self._lock:
            found = {info.key: info for info in self._inner.list(prefix)}
            for key, late in tuple(self._late.items()):
                if not key.startswith(folder):
                    continue
                if late.listings == 0:
                    del self._late[key]
                    continue
                late.listings -= 1
                found.pop(key, None)
                if late.shown is not None:
                    found[key] = late.shown
        return sorted(found.values(), key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        old = self._stale(key)
        if old is not None and start + length <= len(old):
            return old[start : start + length]
        return self._inner.get_range(key, start, length)

    def get(self, key: str) -> bytes:
        old = self._stale(key)
        return self._inner.get(key) if old is None else old

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        self._inner.get_file(key, path, limit)

    def put(self, key: str, data: bytes) -> None:
        with self._lock:
            self._change(key)
            self._inner.put(key, data)

    def put_file(self, key: str, path: str) -> None:
        with self._lock:
            self._change(key)
            self._inner.put_file(key, path)

    def delete(self, key: str) -> None:
        with self._lock:
            self._change(key)
            self._inner.delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = tuple(keys)
        with self._lock:
            for key in doomed:
                self._change(key)
            self._inner.delete_all(doomed)

    def _change(self, key: str) -> None:
        """Remember what is shown of a key that is about to change."""
        now = next((info for info in self._inner.list("") if info.key == key), None)
        late = self._late.get(key)
        self._late[key] = _Late(now if late is None else late.shown, self._listings)
        if now is not None and self._reads:
            self._old[key] = self._inner.get(key), self._reads

    def _stale(self, key: str) -> bytes | None:
        """What `key` held before, while reads still get it."""
        with self._lock:
            data, left = self._old.pop(key, (b"", 0))
            if left > 1:
                self._old[key] = data, left - 1
        return data if left else None
