"""One audit hook for all that is watched: see `AuditHook`."""

import sys
from collections.abc import Callable, Mapping

from pivot.definition.processes import PROCESSES

type Handler = Callable[[tuple[object, ...]], None]
"""What an event's arguments are handed to: https://docs.python.org/3/library/audit_events.html"""


class AuditHook:
    """Hands events to those who watch, and notes that processes are started.

    Attributes:
        processes: whether one was.
    """

    def __init__(self, *handlers: Mapping[str, Handler]) -> None:
        """`handlers` are by event; several may ask for the same."""
        self._handlers: dict[str, Handler] = {}
        for each in handlers:
            for event, handler in each.items():
                first = self._handlers.get(event)
                self._handlers[event] = handler if first is None else _both(first, handler)
        self._active = False
        self.processes = False

    def start(self) -> None:
        """Begin; what is put in place stays for the rest of the process."""
        self._active = True
        sys.addaudithook(self._audit)

    def stop(self) -> None:
        self._active = False

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if not self._active:
            return
        handler = self._handlers.get(event)
        if handler is not None:
            handler(args)
        elif event.startswith(PROCESSES):
            self.processes = True


def _both(first: Handler, second: Handler) -> Handler:
    def handle(args: tuple[object, ...]) -> None:
        first(args)
        second(args)

    return handle
