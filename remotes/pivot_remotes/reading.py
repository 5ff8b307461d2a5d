"""A storage that is only to be read, whatever its credentials allow."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NoReturn

from pivot_remotes.backend import Bytes, Capabilities, ObjectInfo
from pivot_remotes.errors import Unsupported
from pivot_remotes.wrapping import Wrapping


class ReadOnly(Wrapping):
    """A backend through which nothing is written or deleted: that raises `Unsupported`."""

    __slots__ = ()

    @property
    def capabilities(self) -> Capabilities:
        return replace(self._inner.capabilities, can_write=False)

    def list(self, prefix: str) -> list[ObjectInfo]:
        return self._inner.list(prefix)

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        return self._inner.get_range(key, start, length)

    def get(self, key: str) -> bytes:
        return self._inner.get(key)

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        self._inner.get_file(key, path, limit)

    def put(self, key: str, data: bytes) -> None:  # noqa: ARG002 - the interface's
        self._refuse()

    def put_file(self, key: str, path: str) -> None:  # noqa: ARG002
        self._refuse()

    def delete(self, key: str) -> None:  # noqa: ARG002
        self._refuse()

    def delete_all(self, keys: Iterable[str]) -> None:  # noqa: ARG002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Unsupported(
            f"{self.address} is read-only",
            why="its option `read_only` is set",
            hint="Use another remote with `--remote NAME`",
        )
