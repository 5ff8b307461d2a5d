"""The projects that push to a remote: each notes itself there, so that a collection asks for it.

A clone remembers that its project is noted, and notes it again after a week: what was taken out by
mistake comes back, and the note's age tells whether a project still pushes.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from pivot.hashing import hash_bytes
from pivot.store.pushers import FOLDER, SUFFIX, Pusher
from pivot.transfer.faults import translated
from pivot.transfer.known import Copies
from pivot_remotes.backend import Backend
from pivot_remotes.errors import NotFound

REMEMBERED: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Noted:
    """A project that pushes, and when it was noted last, by the storage's clock, if that tells.

    `pusher` is None where a project uses the remote as its cache.
    """

    key: str
    pusher: Pusher | None
    noted: float | None

    @property
    def id(self) -> str:
        return self.key.removeprefix(f"{FOLDER}/").removesuffix(SUFFIX)

    @property
    def shown(self) -> str:
        """As messages name it."""
        return self.key if self.pusher is None else self.pusher.shown


class Projects:
    """The notes of one remote."""

    def __init__(self, backend: Backend, copies: Copies) -> None:
        self._backend = backend
        self._copies = copies

    def note(self, clone: str, pusher: Callable[[], Pusher], clock: Callable[[], float]) -> None:
        """Note the project of the clone in the folder `clone`: with its first push, then weekly.

        `pusher` tells which one it is; only then it is asked.
        """
        memory = f"{FOLDER}/{hash_bytes(clone.encode()).hex()[:32]}{SUFFIX}"
        store = self._copies.store_id(self._backend.address)
        now = clock()
        if store is None or not self._is_remembered(memory, store.text, now):
            project = pusher()
            with translated(self._backend.address):
                self._backend.put(project.key, project.encode())
            value = {"store": None if store is None else store.text, "time": now}
            self._copies.keep(memory, json.dumps(value).encode())

    def all(self) -> list[Noted]:
        """All notes. Raises `IntegrityError` for one that is damaged."""
        found = []
        with translated(self._backend.address):
            for info in self._backend.list(FOLDER):
                if info.key.endswith(SUFFIX):
                    try:
                        data = self._backend.get(info.key)
                    except NotFound:  # taken out since it was listed
                        continue
                    pusher = Pusher.decode(data, info.key, self._backend.address)
                    found.append(Noted(info.key, pusher, info.modified))
        return found

    def forget(self, notes: Iterable[Noted]) -> None:
        """Take notes out: the projects are gone."""
        with translated(self._backend.address):
            self._backend.delete_all(note.key for note in notes)

    def _is_remembered(self, memory: str, store: str, now: float) -> bool:
        try:
            value = json.loads(self._copies.read(memory) or b"null")
            return bool(value["store"] == store and 0 <= now - value["time"] < REMEMBERED)
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
