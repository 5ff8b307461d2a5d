"""Objects in this process's memory, for tests; gone when it ends."""

from typing import Final

from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from pivot_remotes.backend import Capabilities
from pivot_remotes.fsspec_backend import FsspecBackend
from pivot_remotes.keys import check_prefix

_CAPABILITIES: Final = Capabilities(can_list=True, can_write=True, atomic_put=True, ranges=True)


def open_memory(url: str) -> FsspecBackend:
    """The storage that `memory://name` means in this process, whoever opens it."""
    name = check_prefix(url.removeprefix("memory://").strip("/"))
    return FsspecBackend(
        MemoryFileSystem(),
        f"/{name}" if name else "",
        address=f"memory://{name}",
        capabilities=_CAPABILITIES,
    )
