"""Blocking calls side by side, bounded in number and in the bytes they hold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self

from pivot.transfer.jobs import JOBS as JOBS

BUDGET: Final = 64 << 20


class Lanes:
    """An executor of its own, and one budget of bytes in flight.

    Use as an asynchronous context manager, within `run`. Leaving it waits for the calls that are
    under way, so that nothing is written after it.
    """

    def __init__(self, jobs: int, budget: int = BUDGET) -> None:
        # One thread more than jobs: packing goes on while all jobs wait for the network.
        self._threads = ThreadPoolExecutor(jobs + 1, thread_name_prefix="pivot-transfer")
        self._slots = asyncio.Semaphore(jobs)
        self._changed = asyncio.Condition()
        self._budget = budget
        self._free = budget

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def call[T](self, function: Callable[[], T]) -> T:
        """Call `function` in a thread; it counts for nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def start(
        self, group: asyncio.TaskGroup, weight: int, function: Callable[[], None]
    ) -> None:
        """Begin a call that holds `weight` bytes, once a job is free."""
        await self._slots.acquire()
        group.create_task(self._job(weight, function))

    async def _job(self, weight: int, function: Callable[[], None]) -> None:
        try:
            async with self._held(min(weight, self._budget)):
                await self.call(function)
        finally:
            self._slots.release()

    @contextlib.asynccontextmanager
    async def _held(self, weight: int) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= weight)
            self._free -= weight
        try:
            yield
        finally:
            async with self._changed:
                self._free += weight
                self._changed.notify_all()


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a transfer to its end, also where an event loop runs already (a notebook).

    Of several failures the first is raised; the others are most often its consequence.
    """
    try:
        if not _in_loop():
            return asyncio.run(main)
        with ThreadPoolExecutor(1, thread_name_prefix="pivot-loop") as thread:
            return thread.submit(asyncio.run, main).result()
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
