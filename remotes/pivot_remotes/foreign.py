"""Holding a backend that others wrote to what the interface promises.

What is in an object is for its reader to verify. Here keys are checked, so that none climbs out of
the remote, ranges have the length that was asked for, and every error is one of this package.
"""

import contextlib
from collections.abc import Iterable, Iterator

from pivot_remotes.backend import Bytes, ObjectInfo
from pivot_remotes.errors import Overlong, RemoteError, Truncated
from pivot_remotes.keys import check_key, check_prefix, is_key
from pivot_remotes.wrapping import Wrapping


class Foreign(Wrapping):
    """A backend of a plugin, or over somebody else's file system."""

    __slots__ = ()

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        below = f"{folder}/" if folder else ""
        with self._translated(folder):
            found = self._inner.list(folder)
        listed = (i for i in found if is_key(i.key) and i.key.startswith(below) and i.size >= 0)
        return sorted(listed, key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        check_key(key)
        with self._translated(key):
            data = self._inner.get_range(key, start, length)
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        if len(data) > length:
            raise Overlong(f"{self.address} sent more of {key} than was asked for")
        return data

    def get(self, key: str) -> bytes:
        with self._translated(check_key(key)):
            return self._inner.get(key)

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        with self._translated(check_key(key)):
            self._inner.get_file(key, path, limit)

    def put(self, key: str, data: bytes) -> None:
        with self._translated(check_key(key)):
            self._inner.put(key, data)

    def put_file(self, key: str, path: str) -> None:
        with self._translated(check_key(key)):
            self._inner.put_file(key, path)

    def delete(self, key: str) -> None:
        with self._translated(check_key(key)):
            self._inner.delete(key)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = [check_key(key) for key in keys]
        with self._translated(""):
            self._inner.delete_all(doomed)

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except RemoteError:
            raise
        except Exception as error:
            # Code of others may raise anything. Only its kind: the text may repeat what is secret.
            raise RemoteError(
                f"{self.address} failed" + (f" at {key}" if key else ""), why=type(error).__name__
            ) from error
