"""Actions: locks in believed history, found by the static part of their key.

Believed is, so far, what this clone's own runs wrote. Every such lock is a file below
`.pivot/runs/`, so the accelerator that finds them can be made again from those.
"""

import contextlib
import os
from collections.abc import Iterator

from pivot.errors import PivotError
from pivot.hashing import ObjectId, hash_bytes
from pivot.lock.lock import Lock, UnreadableLockError, decode
from pivot.state import State

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
            folder = os.path.join(self._runs, run, "locks")
            for base, _, files in os.walk(folder):
                for file in sorted(files):
                    try:
                        with open(os.path.join(base, file), "rb") as f:
                            yield f.read()
                    except OSError as error:
                        raise PivotError(
                            f"{base}/{file} can't be read", why=error.strerror
                        ) from error


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
