"""The connections to one server, shared by threads."""

import contextlib
import threading
import weakref
from collections.abc import Iterator
from typing import Final

from pivot_remotes.errors import RemoteError, Unreachable
from pivot_remotes.sftp import faults
from pivot_remotes.sftp.packets import GarbledError
from pivot_remotes.sftp.session import RefusedError, Session
from pivot_remotes.sftp.settings import SftpSettings
from pivot_remotes.sftp.wire import Wire

# `sshd` turns new connections away at random while ten are about to log in (`MaxStartups`).
_AT_ONCE: Final = 4


class Connections:
    """Up to four connections, opened as threads need them and kept; broken ones are replaced."""

    __slots__ = (
        "__weakref__",
        "_final",
        "_first",
        "_idle",
        "_open",
        "_settings",
        "_turn",
        "_welcome",
    )

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        self._first = threading.Lock()
        self._final: RemoteError | None = None
        self._idle: list[tuple[Wire, Session]] = []
        self._open: set[Wire] = set()
        self._welcome = False
        weakref.finalize(self, _close_all, self._open)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A session of this thread's own for the block; waits until one is free.

        What breaks the session in the block is raised as an error of this package.
        """
        with self._turn:
            wire, session = self._take()
            try:
                with self._explained(wire):
                    yield session
            except (RefusedError, RemoteError):
                if wire in self._open:
                    self._idle.append((wire, session))
                raise
            except BaseException:  # an interrupt in mid-answer: nobody knows what comes next on it
                self._drop(wire)
                raise
            self._idle.append((wire, session))

    def _take(self) -> tuple[Wire, Session]:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> tuple[Wire, Session]:
        # One at first: when a server refuses us it should hear us once, not once a thread.
        with contextlib.nullcontext() if self._welcome else self._first:
            if self._final is not None:
                raise self._final
            wire = Wire(self._settings)
            self._open.add(wire)
            try:
                with self._explained(wire):
                    session = Session(wire)
            except RemoteError as error:
                if not isinstance(error, Unreachable):
                    self._final = error
                raise
            except BaseException:  # an interrupt during the greeting, likewise
                self._drop(wire)
                raise
            self._welcome = True
            return wire, session

    @contextlib.contextmanager
    def _explained(self, wire: Wire) -> Iterator[None]:
        """Give up the connection for what breaks it in the block, and raise why."""
        try:
            yield
        except TimeoutError as error:
            self._drop(wire)
            raise faults.silent(self._settings) from error
        except (OSError, EOFError) as error:
            complaint = wire.complaint()
            self._drop(wire)
            raise faults.ended(self._settings, complaint) from error
        except GarbledError as error:
            self._drop(wire)
            raise faults.garbled(self._settings, str(error)) from error

    def _drop(self, wire: Wire) -> None:
        self._open.discard(wire)
        wire.close()


def _close_all(wires: set[Wire]) -> None:
    for wire in tuple(wires):
        wire.close()
