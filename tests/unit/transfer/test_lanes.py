import asyncio
import threading

import pytest

from pivot.transfer.lanes import Lanes

MEETING = 30.0  # seconds after which those who wait for each other give up


class Load:
    """How many calls run at once, and what they weigh.

    None ends before no more are begun, and as many as can are there.
    """

    def __init__(self, together=1):
        self.lock = threading.Lock()
        self.meeting = threading.Barrier(together, timeout=MEETING)
        self.full = threading.Event()
        self.now = self.most = self.weight = self.heaviest = self.done = 0

    def job(self, weight):
        def call():
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

        return call


class Telling(threading.Condition):
    """Tells when somebody has to wait."""

    def __init__(self, event):
        super().__init__()
        self.event = event

    def wait(self, timeout=None):
        self.event.set()
        return super().wait(timeout)


def work(load, weights, jobs, budget):
    with Lanes(jobs, budget) as lanes:
        lanes._changed = Telling(load.full)
        for weight in weights:
            lanes.start(weight, load.job(weight))
        load.full.set()
        lanes.wait()


def test_calls_run_side_by_side_up_to_the_number_of_jobs():
    load = Load(together=3)
    work(load, [1] * 12, jobs=3, budget=100)
    assert (load.done, load.most) == (12, 3)


def test_bytes_in_flight_stay_within_the_budget():
    load = Load(together=2)
    work(load, [40] * 8, jobs=8, budget=100)
    assert (load.done, load.heaviest) == (8, 80)


def test_a_call_heavier_than_the_budget_runs_alone():
    load = Load()
    work(load, [1000, 10, 10], jobs=8, budget=100)
    assert load.done == 3
    assert load.heaviest == 1000


def fail():
    raise LookupError("broken")


def test_after_a_failure_nothing_is_begun_and_the_failure_comes_out():
    begun = []
    with Lanes(2) as lanes:
        lanes.start(1, fail)
        with pytest.raises(LookupError, match="broken"):
            lanes.wait()
        with pytest.raises(LookupError, match="broken"):
            lanes.start(1, lambda: begun.append(1))
    assert begun == []


def test_whoever_leaves_by_an_error_waits_for_what_is_under_way():
    entered, go, ended = threading.Event(), threading.Event(), []

    def call():
        entered.set()
        go.wait(MEETING)
        ended.append(1)

    def leave():
        with Lanes(2) as lanes:
            lanes.start(1, call)
            entered.wait(MEETING)
            threading.Timer(0.01, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert ended == [1]


def test_it_runs_where_a_loop_runs_already():
    async def notebook():
        load = Load()
        work(load, [1], jobs=1, budget=1)
        return load.done

    assert asyncio.run(notebook()) == 1


def test_the_first_failure_comes_out_bare_and_nothing_goes_on_after_it():
    load = Load(together=3)

    def failing():
        with Lanes(4) as lanes:
            try:
                for job in [load.job(1)] * 3 + [fail] + [load.job(1)] * 50:
                    lanes.start(1, job)
            finally:
                load.full.set()

    with pytest.raises(LookupError, match="broken"):
        failing()
    assert not [t for t in threading.enumerate() if t.name.startswith("pivot-transfer")]
    assert (load.now, load.done) == (0, 3)
