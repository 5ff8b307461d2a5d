import threading

import pytest

from pivot.transfer.uploads import Uploads

MEETING = 30.0  # seconds after which those who wait for each other give up


class Load:
    """How many calls run at once, and what they weigh; none ends before no more are begun."""

    def __init__(self):
        self.lock = threading.Lock()
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
    with Uploads(jobs, budget) as uploads:
        uploads._changed = Telling(load.full)
        for weight in weights:
            uploads.start(weight, load.job(weight))
        load.full.set()
        uploads.wait()


def test_calls_run_side_by_side_up_to_the_number_of_jobs():
    load = Load()
    work(load, [1] * 12, jobs=3, budget=100)
    assert (load.done, load.most) == (12, 3)


def test_bytes_in_flight_stay_within_the_budget():
    load = Load()
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
    with Uploads(2) as uploads:
        uploads.start(1, fail)
        with pytest.raises(LookupError, match="broken"):
            uploads.wait()
        with pytest.raises(LookupError, match="broken"):
            uploads.start(1, lambda: begun.append(1))
    assert begun == []


def test_whoever_leaves_by_an_error_waits_for_what_is_under_way():
    entered, go, ended = threading.Event(), threading.Event(), []

    def call():
        entered.set()
        go.wait(MEETING)
        ended.append(1)

    def leave():
        with Uploads(2) as uploads:
            uploads.start(1, call)
            entered.wait(MEETING)
            threading.Timer(0.01, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert ended == [1]
