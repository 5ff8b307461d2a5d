"""A storage far away, by a clock that only its answers move: how many answers wait for others?

Every call waits until nothing else in this process can go on; then all that wait are answered at
once, and one round trip has passed. So the count is the length of the chain of calls of which each
needs an earlier one's answer, whatever threads make them, and no time is waited for.
"""

import threading
import time
from pathlib import Path

_LOOKS = 3  # in a row, between which nothing may have run
_BETWEEN_S = 0.002


class Far:
    """A view of a storage that takes a round trip a call. `trips` have passed, for `calls`.

    Use as a context manager: within it, its clock runs.
    """

    def __init__(self, inner):
        self._inner = inner
        self._changed = threading.Condition()
        self._waiting = 0
        self._stopped = threading.Event()
        self._clock = threading.Thread(target=self._run)
        self.trips = 0
        self.calls = 0

    def __enter__(self):
        self._clock.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._clock.join()

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args):
            with self._changed:
                self.calls += 1
                self._waiting += 1
                now = self.trips
                assert self._changed.wait_for(lambda: self.trips > now, timeout=60)
            return found(*args)

        return call

    def _run(self):
        while not self._stopped.is_set():
            if self._waiting and self._is_still():
                with self._changed:
                    self.trips += 1
                    self._waiting = 0
                    self._changed.notify_all()
            else:
                time.sleep(_BETWEEN_S)

    def _is_still(self):
        """Whether all other threads sleep, and none of them ran since we first looked."""
        spent = _spent()
        for _ in range(_LOOKS):
            if not _all_asleep() or _spent() != spent:
                return False
            time.sleep(_BETWEEN_S)
        return _spent() == spent


def _all_asleep():
    """Whether every thread of this process but the one that asks is in an interruptible sleep."""
    me = threading.get_native_id()
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) == me:
            continue
        try:
            text = (task / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it ended
            return False
        if text.rpartition(") ")[2][0] != "S":
            return False
    return True


def _spent():
    """How often other threads of this process were put on a processor."""
    me = threading.get_native_id()
    total = 0
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != me:
            try:
                total += int((task / "schedstat").read_text().split()[2])
            except (FileNotFoundError, ProcessLookupError):
                total += 1
    return total
