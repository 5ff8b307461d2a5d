import asyncio
import threading
from functools import partial

import pytest

from pivot.transfer.lanes import Lanes, run

MEETING = 30.0  # seconds after which those who wait for each other give up


class Load:
    """How many calls run at once, and what they weigh.

    None ends before no more are begun, and as many as can are there.
    """

    def __init__(self, together=1):
        self.lock = threading.Lock()
        self.full = threading.Event()
        self.meeting = threading.Barrier(together, timeout=MEETING)
        self.now = self.most = self.weight = self.heaviest = self.done = 0

    def job(self, weight):
        with self.lock:
            self.now += 1
            self.weight += weight
            self.most = max(self.most, self.now)
            self.heaviest = max(self.heaviest, self.weight)
        assert self.full.wait(MEETING)
        self.meeting.wait()
        with self.lock:
            self.now -= 1
            self.weight -= weight
            self.done += 1


class Slots(asyncio.Semaphore):
    """Tells when somebody has to wait for one."""

    def __init__(self, count, event):
        super().__init__(count)
        self.event = event

    async def acquire(self):
        if self.locked():
            self.event.set()
        return await super().acquire()


async def work(load, weights, jobs, budget):
    async with Lanes(jobs, budget) as lanes, asyncio.TaskGroup() as group:
        lanes._slots = Slots(jobs, load.full)
        for weight in weights:
            await lanes.start(group, weight, partial(load.job, weight))
        asyncio.get_running_loop().call_soon(load.full.set)


def test_jobs_run_side_by_side_up_to_their_number():
    load = Load(together=3)
    run(work(load, [1] * 12, jobs=3, budget=100))
    assert (load.done, load.most) == (12, 3)


def test_bytes_in_flight_stay_within_the_budget():
    load = Load(together=2)
    run(work(load, [40] * 8, jobs=8, budget=100))
    assert (load.done, load.heaviest) == (8, 80)


def test_a_call_heavier_than_the_budget_runs_alone():
    load = Load()
    run(work(load, [1000, 10, 10], jobs=8, budget=100))
    assert load.done == 3
    assert load.heaviest == 1000


def test_it_runs_where_a_loop_runs_already():
    async def notebook():
        load = Load()
        run(work(load, [1], jobs=1, budget=1))
        return load.done

    assert asyncio.run(notebook()) == 1


def test_the_first_failure_comes_out_bare_and_nothing_goes_on_after_it():
    load = Load()

    def fail():
        load.full.set()
        raise LookupError("broken")

    async def failing():
        async with Lanes(4) as lanes, asyncio.TaskGroup() as group:
            for _ in range(3):
                await lanes.start(group, 1, partial(load.job, 1))
            await lanes.start(group, 1, fail)
            for _ in range(50):
                await lanes.start(group, 1, partial(load.job, 1))

    with pytest.raises(LookupError, match="broken"):
        run(failing())
    assert not [t for t in threading.enumerate() if t.name.startswith("pivot-transfer")]
    assert load.now == 0
    assert load.done < 50
