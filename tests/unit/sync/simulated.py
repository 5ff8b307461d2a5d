"""A clock of its own for a storage, and operations that stop before each call to it.

An operation runs in a thread, but only while it is let: up to its next call, or to its end. So
whoever holds several decides how their calls interleave, and the same choices give the same run.
"""

import itertools
import threading
from concurrent.futures import Future

DAY = 86_400.0


class Clock:
    """The time of a simulated world, in seconds."""

    def __init__(self):
        self.now = 1_000_000_000.0

    def time(self):
        return self.now


class Killed(BaseException):
    """The operation's process died."""


class Operation:
    """Something that is under way; `calls` are those that it made to the storage, with times."""

    _numbers = itertools.count()

    def __init__(self, storage, kind, action):
        self.number = next(self._numbers)
        self.kind = kind
        self.begun = storage.now()
        self.calls = []
        self.next = None  # the call that it stopped before
        self.result = None
        self.error = None
        self.is_over = False
        self._storage = storage
        self._action = action
        self._is_dead = False
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def _run(self):
        self._wait()
        try:
            if self._is_dead:
                raise Killed
            self.result = self._action(self.backend())
        except BaseException as error:
            self.error = error
        self.is_over = True
        self._stopped.release()

    def _wait(self):
        self._stopped.release()
        self._go.acquire()

    def backend(self):
        return _Stepping(self)

    def stop_before(self, verb, key):
        """Called before each call to the storage: it goes on when `step` says so."""
        self.next = (verb, key)
        if not self._is_dead:
            self._wait()
        if self._is_dead:
            raise Killed
        self.calls.append((verb, key, self._storage.now()))

    def step(self):
        """Let it make the call it stopped before, and go on to the next one or to its end."""
        assert not self.is_over
        self._go.release()
        self._stopped.acquire()
        if self.is_over:
            self._thread.join()

    def finish(self):
        while not self.is_over:
            self.step()

    def kill(self):
        """Let it die where it is."""
        self._is_dead = True
        self.finish()


class _Stepping:
    """The storage as one operation sees it."""

    def __init__(self, operation):
        self._operation = operation
        self._storage = operation._storage
        self.capabilities = self._storage.capabilities
        self.address = self._storage.address

    def __getattr__(self, name):
        found = getattr(self._storage, name)

        def call(key, *rest):
            self._operation.stop_before(name, key)
            if name == "delete_all":
                return self._delete_all(list(key))
            return found(key, *rest)

        return call

    def _delete_all(self, keys):
        """One key at a time: who dies, or reads, in the middle sees some of them gone."""
        for number, key in enumerate(keys):
            if number:
                self._operation.stop_before("delete", key)
            self._storage.delete(key)


class Inline:
    """An executor that does what it is given at once, in the thread of who asks."""

    def __init__(self, *args, **options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def submit(self, function, /, *args, **options):
        future = Future()
        try:
            future.set_result(function(*args, **options))
        except BaseException as error:
            future.set_exception(error)
        return future

    def map(self, function, *iterables):
        return [function(*args) for args in zip(*iterables, strict=False)]

    def shutdown(self, *, wait=True, cancel_futures=False):
        pass
