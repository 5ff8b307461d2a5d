"""Any fsspec file system as storage.

Objects are written under a temporary name and moved, since fsspec promises nothing about what a
reader sees of a file that is being written. They are read by ranges and not through file objects,
which some file systems (memory) share between threads.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import Truncated, Unsupported
from pivot_remotes.keys import check_key, check_prefix, is_key, temporary_key
from pivot_remotes.landing import blocks, new_file, source_file
from pivot_remotes.oserrors import translated

RANGE = 8 << 20

# Under these names fsspec's file systems say when a file was last written.
_TIMES: Final = ("mtime", "modified", "last_modified", "LastModified", "updated", "created")


class FsspecBackend:
    """Objects as files below `root` in `fs`.

    `fs` must not cache listings. `capabilities.atomic_put` says whether its `mv` replaces a file
    in one step.
    """

    __slots__ = ("_address", "_capabilities", "_fs", "_root")

    def __init__(
        self, fs: AbstractFileSystem, root: str, *, address: str, capabilities: Capabilities
    ) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._address = address
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def address(self) -> str:
        return self._address

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        top = f"{self._root}/{folder}" if folder else self._root
        with translated(self._address, folder):
            found = self._find(top)
        below = len(self._root) + 1
        infos = (
            ObjectInfo(name[below:], int(info["size"]), _modified(info))
            for name, info in found.items()
            if name != top
        )
        return sorted((i for i in infos if is_key(i.key)), key=lambda i: i.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        path = self._path(key)
        if length == 0:
            return b""
        with translated(self._address, key):
            data = bytes(self._fs.cat_file(path, start=start, end=start + length))
        if len(data) > length:  # the server ignored the range and sent everything
            data = data[start : start + length]
        if len(data) < length:
            raise Truncated(f"{key} in {self._address} ends before byte {start + length}")
        return data

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with translated(self._address, key):
            return bytes(self._fs.cat_file(path))

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        size = self._size(key)
        with new_file(path, limit) as write:
            for start in range(0, size, RANGE):
                write(self.get_range(key, start, min(RANGE, size - start)))

    def put(self, key: str, data: bytes) -> None:
        with translated(self._address, key), self._replacing(key) as temporary:
            self._fs.pipe_file(temporary, data)

    def put_file(self, key: str, path: str) -> None:
        with (
            source_file(path) as source,
            translated(self._address, key),
            self._replacing(key) as temporary,
            self._fs.open(temporary, "wb") as file,
        ):
            for block in blocks(source):
                file.write(block)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with translated(self._address, key), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def delete_all(self, keys: Iterable[str]) -> None:
        for key in [check_key(key) for key in keys]:
            self.delete(key)

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"

    def _find(self, top: str) -> dict[str, dict[str, Any]]:
        """What the file system says of all files below `top`, by their names as it writes them."""
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(top, detail=True)
        except FileNotFoundError:
            return {}
        return found

    def _size(self, key: str) -> int:
        path = self._path(key)
        with translated(self._address, key):
            info = self._fs.info(path)
            if info["type"] != "file":
                raise FileNotFoundError(path)
        if info["size"] is None:
            raise Unsupported(f"{self._address} doesn't tell how large {key} is")
        return int(info["size"])

    @contextlib.contextmanager
    def _replacing(self, key: str) -> Iterator[str]:
        """A name to write to, which becomes `key` when the block succeeds."""
        final = self._path(key)
        temporary = f"{self._root}/{temporary_key(key)}"
        self._fs.makedirs(final.rpartition("/")[0], exist_ok=True)
        try:
            yield temporary
            self._fs.mv(temporary, final)
        except BaseException:  # an interrupt, too, leaves no temporary
            with contextlib.suppress(OSError):
                self._fs.rm_file(temporary)
            raise


def _modified(info: Mapping[str, Any]) -> float | None:
    """The time of the last write, in seconds since 1970; None where `info` doesn't say."""
    value = next((info[name] for name in _TIMES if info.get(name) is not None), None)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None
