"""Servers' programs, and running them on loopback for as long as tests need them."""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

# Set by `.ci/run`: there, a server that is missing is a failure and nothing is skipped.
REQUIRED = os.environ.get("PIVOT_TEST_SERVERS") == "required"

START_S = 30
_PLACES = (*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/sbin")


def program(name: str) -> str:
    """The path of an installed program; skips the test, or fails it, where there is none."""
    found = shutil.which(name, path=os.pathsep.join(_PLACES))
    if found is None:
        missing(f"{name} is not installed")
    return found


def missing(what: str) -> None:
    """Skip the test, or fail it where servers are required."""
    said = f"{what}: run `.ci/install-servers` as root, which installs what these tests need"
    if REQUIRED:
        pytest.fail(said)
    pytest.skip(said)


def free_port() -> int:
    """A port on loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], port: int, log: Path, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server that will listen at `port`; it is killed at the end."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
        )
    with server:
        try:
            _await_port(server, port, log)
            yield server
        finally:
            server.kill()


@contextmanager
def shared(place: Path, start: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """What `start` yields, by one server for all the processes that run tests.

    The first to need it starts it, and at its own end waits for the others. `place` is in a folder
    that they share.
    """
    told = place.with_suffix(".told")
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if told.exists():
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield told.read_text()
            return
        with start() as endpoint:
            told.write_text(endpoint)
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield endpoint
            fcntl.flock(lock, fcntl.LOCK_EX)
            told.unlink()


def _await_port(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.01)
