"""The schemes of remotes that Pivot knows itself: how each is opened, and what its options are."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pivot_remotes import options as option
from pivot_remotes.addresses import split
from pivot_remotes.az import settings as az
from pivot_remotes.backend import Backend
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import BadAddress
from pivot_remotes.gs import settings as gs
from pivot_remotes.http import settings as http
from pivot_remotes.loading import load
from pivot_remotes.s3 import settings as s3
from pivot_remotes.sftp import settings as sftp

type Opener = Callable[[str, Mapping[str, str]], Backend]

NAME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of storage.

    Attributes:
        open: makes the backend of a URL and its options; raises `BadAddress` for unusable ones.
        secrets: options whose values are credentials. They belong into files that aren't shared.
        harmless: options that can't lead data or credentials elsewhere, whoever sets them.
    """

    open: Opener
    secrets: frozenset[str] = frozenset()
    harmless: frozenset[str] = frozenset()


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


def _open_gs(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.gs.backend", extra="gs").open_bucket(
        url, options, os.environ
    )
    return backend


def _open_s3(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.s3.backend", extra="s3").open_bucket(
        url, options, os.environ
    )
    return backend


def _open_az(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.az.backend", extra="az").open_container(
        url, options, os.environ
    )
    return backend


def _open_sftp(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.sftp.backend", extra="ssh").open_folder(url, options)
    return backend


def _open_http(url: str, options: Mapping[str, str]) -> Backend:
    backend: Backend = load("pivot_remotes.http.backend", extra="http").open_folder(url, options)
    return backend


def _open_webdav(url: str, options: Mapping[str, str]) -> Backend:
    module = load("pivot_remotes.webdav.backend", extra="webdav")
    backend: Backend = module.open_folder(url, options)
    return backend


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
    "az": Scheme(_open_az, az.SECRETS, az.HARMLESS),
    "file": Scheme(_open_directory),
    "gs": Scheme(_open_gs, gs.SECRETS, gs.HARMLESS),
    "http": Scheme(_open_http, http.SECRETS, http.HARMLESS),
    "https": Scheme(_open_http, http.SECRETS, http.HARMLESS),
    "memory": Scheme(_open_memory),
    "s3": Scheme(_open_s3, s3.SECRETS, s3.HARMLESS),
    "sftp": Scheme(_open_sftp, sftp.SECRETS, sftp.HARMLESS),
    "ssh": Scheme(_open_sftp, sftp.SECRETS, sftp.HARMLESS),
    "webdav": Scheme(_open_webdav, http.SECRETS, http.HARMLESS),
    "webdavs": Scheme(_open_webdav, http.SECRETS, http.HARMLESS),
}
