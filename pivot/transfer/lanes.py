"""Blocking calls side by side, bounded in number and in the bytes they hold.

Plain threads: importing an event loop takes as long as sending a thousand files, and none is
wanted where one runs already (a notebook).
"""

from collections.abc import Callable
from threading import Condition, Thread
from types import TracebackType
from typing import Final, Self

from pivot.transfer.jobs import JOBS

BUDGET: Final = 64 << 20


class Lanes:
    """Calls in threads of their own. After the first failure none is begun any more.

    Use as a context manager. Leaving it waits for the calls that are under way, so that nothing
    is sent or written after it.
    """

    def __init__(self, jobs: int = JOBS, budget: int = BUDGET) -> None:
        self._changed = Condition()
        self._threads: list[Thread] = []
        self._failure: BaseException | None = None
        self._slots = jobs
        self._budget = budget
        self._free = budget

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for thread in self._threads:
            thread.join()

    def start(self, weight: int, function: Callable[[], None]) -> None:
        """Begin a call that holds `weight` bytes, once a job and so many bytes are free.

        Raises what another call raised.
        """
        held = min(weight, self._budget)
        with self._changed:
            self._changed.wait_for(lambda: self._failure or (self._slots and self._free >= held))
            self._raise_failure()
            self._slots -= 1
            self._free -= held
        thread = Thread(target=self._call, args=(held, function), name="pivot-transfer")
        thread.start()
        self._threads = [t for t in self._threads if t.is_alive()]
        self._threads.append(thread)

    def wait(self) -> None:
        """Return once all calls are done. Raises what one of them raised."""
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._raise_failure()

    def _call(self, held: int, function: Callable[[], None]) -> None:
        failure: BaseException | None = None
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was begun
            failure = error
        with self._changed:
            self._failure = self._failure or failure
            self._slots += 1
            self._free += held
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
