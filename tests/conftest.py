"""Isolation for every test: nothing of this user, machine or network is read, and a leak raises.

What code under test could reach by accident (the real home's configuration and credentials, hosts
other than this one) is watched by an audit hook, which no `except OSError` hides.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest
from hypothesis import HealthCheck, settings
from pygit2.enums import ConfigLevel

REAL_HOME = os.path.realpath(os.path.expanduser("~"))
PRIVATE_NAMES = (".aws", ".azure", ".boto", ".cache/pivot", ".config", ".git-credentials")
PRIVATE_NAMES += (".gitconfig", ".netrc", ".ssh")
PRIVATE = tuple(os.path.join(REAL_HOME, name) for name in PRIVATE_NAMES)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "", None})
REMOVED = ("AWS_", "AZURE_", "GIT_", "GOOGLE_", "PIVOT_", "XDG_", "EMAIL", "VIRTUAL_ENV")
REMOVED += ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
REMOVED += ("PYTHONWARNINGS",)

settings.register_profile(
    "ci", max_examples=30, derandomize=True, deadline=None, database=None, print_blob=True
)
settings.register_profile(
    "soak", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class LeakError(AssertionError):
    """A test reached for something outside of its own folders and this host."""


class Watch:
    """The audit hook; what it caught fails the test even if the code under test hid it."""

    def __init__(self) -> None:
        self.home = REAL_HOME
        self.caught: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        fault = None
        if event in ("open", "os.listdir", "os.scandir", "sqlite3.connect"):
            fault = _private(arguments[0])
        elif event == "socket.connect":
            fault = _elsewhere(arguments[1])
        elif event == "socket.getaddrinfo":
            fault = _elsewhere((arguments[0],))
        if fault is not None:
            self.caught.append(f"{event}: {fault}")
            raise LeakError(self.caught[-1])


def _private(path: object) -> str | None:
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
    return text if text.startswith(PRIVATE) else None


def _elsewhere(address: object) -> str | None:
    host = address[0] if isinstance(address, tuple) else ""  # Unix sockets are addressed by path
    host = host.decode() if isinstance(host, bytes) else host
    return None if host in LOOPBACK else str(host)


_WATCH = Watch()


def pytest_configure(config: pytest.Config) -> None:
    """Watch from before the first import of the code under test; a hook can't be removed."""
    sys.addaudithook(_WATCH)


@pytest.fixture
def watch() -> Watch:
    """What watches this test, for tests of the isolation itself."""
    return _WATCH


@pytest.fixture(autouse=True)
def isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment that says nothing of this user; the new, empty home is yielded."""
    home = tmp_path_factory.mktemp("home")
    _WATCH.caught.clear()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(REMOVED) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in _environment(home).items():
            patch.setenv(name, value)
        # libgit2 reads these once, when it is loaded, and so maybe from the real home.
        for level in (ConfigLevel.GLOBAL, ConfigLevel.XDG, ConfigLevel.SYSTEM):
            pygit2.settings.search_path[level] = str(home)
        yield home
    assert not _WATCH.caught, "the test reached outside"


def _environment(home: Path) -> dict[str, str]:
    folders = {"CONFIG": ".config", "CACHE": ".cache", "DATA": ".data", "STATE": ".state"}
    return {
        "HOME": str(home),
        **{f"XDG_{name}_HOME": str(home / folder) for name, folder in folders.items()},
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "AWS_EC2_METADATA_DISABLED": "true",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
