"""Actions: locks in believed history, found by the static part of their key.

Believed is, so far, what this clone's own runs wrote. Every such lock is a file below
`.pivot/runs/`, so the accelerator that finds them can be made again from those. A run's folder
that came with a clone isn't this clone's own: what it has as `owner` isn't its inode number.
"""

import contextlib
import os
from collections.abc import Iterator

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

    def _rebuild_once(self) -> None:
        """An accelerator that is new to this project reads the run records first."""
        if self._state.document(_INDEXED) is not None:
            return
        for data in self._recorded():
            with contextlib.suppress(UnreadableLockError):
                self.add(decode(data, "a run's lock"), data)
        self._state.record_document(_INDEXED, b"1")

    def _recorded(self) -> Iterator[bytes]:
        """The locks that run records hold, oldest run first."""
        for run in sorted(_names(self._runs)):
            folder = os.path.join(self._runs, run)
            if not is_own(folder):
                continue
            for base, _, files in os.walk(os.path.join(folder, "locks")):
                for file in sorted(files):
                    try:
                        with open(os.path.join(base, file), "rb") as f:
                            yield f.read()
                    except OSError as error:
                        raise PivotError(
                            f"{base}/{file} can't be read", why=error.strerror
                        ) from error


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
