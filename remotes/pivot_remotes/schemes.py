"""The schemes of remotes that Pivot knows itself: how each is opened, and what its options are."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final
from urllib.parse import unquote

from pivot_remotes import options as option
from pivot_remotes.addresses import split
from pivot_remotes.backend import Backend
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import BadAddress
from pivot_remotes.loading import load

type Opener = Callable[[str, Mapping[str, str]], Backend]

NAME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of storage.

    Attributes:
        open: makes the backend of a URL and its options; raises `BadAddress` for unusable ones.
        settings: the module that says what its options are; None where it has none. It is
            imported when it is asked, since no command needs those of all storages.
    """

    open: Opener
    settings: str | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """Options whose values are credentials. They belong into files that aren't shared."""
        return self._told("SECRETS")

    @property
    def harmless(self) -> frozenset[str]:
        """Options that can't lead data or credentials elsewhere, whoever sets them."""
        return self._told("HARMLESS")

    def _told(self, name: str) -> frozenset[str]:
        if self.settings is None:
            return frozenset()
        told: frozenset[str] = getattr(import_module(self.settings), name)
        return told


def _open_directory(url: str, options: Mapping[str, str]) -> Backend:
    option.check_known(options, frozenset(), "file")
    path = url
    if NAME.match(url):
        parts = split(url, form="file:///folder")
        if parts.netloc not in ("", "localhost"):
            raise BadAddress(f"{url!r} names no folder here", hint="Write it as `file:///folder`")
        path = unquote(parts.path)
    if not path.startswith("/") or "\0" in path:
        raise BadAddress(f"{url!r} is no absolute path", hint="Write it as `file:///folder`")
    return DirectoryBackend(os.path.normpath(path))


def _open_by(kind: str, opener: str, extra: str | None = None) -> Opener:
    """What opens remotes by a function of `kind`'s backend, which is imported when first needed."""

    def open_(url: str, options: Mapping[str, str]) -> Backend:
        module = load(f"pivot_remotes.{kind}.backend", extra=extra or kind)
        backend: Backend = getattr(module, opener)(url, options, os.environ)
        return backend

    return open_


def _open_memory(url: str, options: Mapping[str, str]) -> Backend:
    """Objects in this process, for tests: the same name is the same storage."""
    option.check_known(options, frozenset(), "memory")
    backend: Backend = load("pivot_remotes.memory", extra="memory").open_memory(url)
    return backend


# Other names of what is known here, which people write because other programs take them.
MEANT: Final[Mapping[str, str]] = {
    "abfs": "az",
    "abfss": "az",
    "adl": "az",
    "azure": "az",
    "gcs": "gs",
    "s3a": "s3",
    "s3n": "s3",
}

SCHEMES: Final[Mapping[str, Scheme]] = {
    "az": Scheme(_open_by("az", "open_container"), "pivot_remotes.az.settings"),
    "file": Scheme(_open_directory),
    "gs": Scheme(_open_by("gs", "open_bucket"), "pivot_remotes.gs.settings"),
    "http": Scheme(_open_by("http", "open_folder"), "pivot_remotes.http.settings"),
    "https": Scheme(_open_by("http", "open_folder"), "pivot_remotes.http.settings"),
    "memory": Scheme(_open_memory),
    "s3": Scheme(_open_by("s3", "open_bucket"), "pivot_remotes.s3.settings"),
    "sftp": Scheme(_open_by("sftp", "open_folder", extra="ssh"), "pivot_remotes.sftp.settings"),
    "ssh": Scheme(_open_by("sftp", "open_folder", extra="ssh"), "pivot_remotes.sftp.settings"),
    "webdav": Scheme(_open_by("webdav", "open_folder"), "pivot_remotes.http.settings"),
    "webdavs": Scheme(_open_by("webdav", "open_folder"), "pivot_remotes.http.settings"),
}
