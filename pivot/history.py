"""Actions: locks in believed history, found by the static part of their key.

Believed is, so far, what this clone's own runs wrote. Every such lock is a file below
`.pivot/runs/`, so the accelerator that finds them can be made again from those. A run's folder
that came with a clone isn't this clone's own: what it has as `owner` isn't its inode number.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from pivot.errors import PivotError
from pivot.files import folder_identity, write_atomic
from pivot.hashing import ObjectId, hash_bytes
from pivot.lock.lock import Lock, UnreadableLockError, decode
from pivot.state import State

OWNER = "owner"
_INDEXED = "history:runs"


class History:
    """Looks up actions; `runs` is the folder of run records."""

    def __init__(self, state: State, runs: str) -> None:
        self._state = state
        self._runs = runs

    def find(self, static_key: ObjectId) -> tuple[Lock, ...]:
        """The actions under a key, newest first."""
        self._rebuild_once()
        found: list[Lock] = []
        for data in self._state.actions(static_key):
            with contextlib.suppress(UnreadableLockError):
                lock = decode(data, "an action")
                if lock.is_action:
                    found.append(lock)
        return tuple(found)

    def add(self, lock: Lock, data: bytes) -> None:
        """Remember a lock that this clone's own run wrote; `data` is its file's bytes."""
        self._state.record_action(lock.declared.static_key, hash_bytes(data), data)

    def has(self, lock: Lock) -> bool:
        """Whether this very lock is one that this clone's own run wrote."""
        self._rebuild_once()
        data = lock.encode()
        return data in self._state.actions(lock.declared.static_key)

    def _rebuild_once(self) -> None:
        """An accelerator that is new to this project reads the run records first."""
        if self._state.document(_INDEXED) is not None:
            return
        for run in reversed(list(recorded_runs(self._runs))):
            for place, data in run.locks():
                with contextlib.suppress(UnreadableLockError):
                    self.add(decode(data, place), data)
        self._state.record_document(_INDEXED, b"1")


class RecordedRun(NamedTuple):
    """A run of this clone: its name, its folder, and when it ended in seconds since the epoch."""

    name: str
    folder: str
    time: float

    def locks(self) -> Iterator[tuple[str, bytes]]:
        """The locks that it wrote, as path (for messages) and bytes."""
        for base, _, files in os.walk(os.path.join(self.folder, "locks")):
            for file in sorted(files):
                path = os.path.join(base, file)
                try:
                    with open(path, "rb") as f:
                        yield path, f.read()
                except OSError as error:
                    raise PivotError(f"{path} can't be read", why=error.strerror) from error


def recorded_runs(runs: str) -> Iterator[RecordedRun]:
    """This clone's own runs below the folder `runs`, newest first."""
    for name in sorted(_names(runs), reverse=True):
        folder = os.path.join(runs, name)
        if is_own(folder):
            yield RecordedRun(name, folder, os.stat(folder).st_mtime)


def mark_own(folder: str) -> None:
    """Note in a run's folder that it was made here."""
    write_atomic(os.path.join(folder, OWNER), folder_identity(folder).encode(), sync=False)


def is_own(folder: str) -> bool:
    """Whether a run's folder was made here, and not cloned or copied."""
    try:
        with open(os.path.join(folder, OWNER), encoding="ascii") as f:
            return f.read() == folder_identity(folder)
    except (OSError, ValueError):
        return False


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
