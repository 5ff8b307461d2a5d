"""What rows are made of samples, and that each kind can fail."""

import pytest

from benchmarks.latency import FAR, NEAR, PULL, PUSH, beside_without
from benchmarks.tally import Tally, requests_of
from benchmarks.tool import PEER, PIVOT
from benchmarks.workbench import Sample


@pytest.fixture
def tally():
    return Tally()


def sampled(tally, tool, step, *seconds, peak=0):
    tally.samples[tool, step] += [Sample(each, peak) for each in seconds]


def test_requests_are_held_against_their_limit_in_each_run(tally):
    for requests in (4, 5):
        tally.note(PIVOT, requests_of("push"), requests)
    assert tally.requests("push", 5).reached is True
    assert tally.requests("push", 4).reached is False
    assert tally.requests("push").reached is None


def test_memory_is_held_against_its_limit(tally):
    sampled(tally, PIVOT, "push", 1.0, peak=300_000_000)
    assert tally.memory("push", limit=400).reached is True
    assert tally.memory("push").reached is False
    assert tally.memory("push", limit=None).reached is None


def test_a_peer_is_the_one_that_was_named(tally):
    sampled(tally, PIVOT, "push", 1.0)
    sampled(tally, PEER, "push", 2.0)
    sampled(tally, "cp", "push", 0.5)
    assert tally.time("push").theirs == (2.0,)
    row = tally.time("push", peer="cp")
    assert (row.name, row.theirs) == ("push, beside `cp`", (0.5,))


@pytest.mark.parametrize(("far", "reached"), [(2.9, True), (3.1, False)])
def test_latency_may_double_the_time_and_cost_ten_round_trips(tally, far, reached):
    sampled(tally, NEAR, PUSH, 1.0)
    sampled(tally, FAR, PUSH, far)
    sampled(tally, NEAR, PULL, 9.0)
    assert beside_without(tally, PUSH).reached is reached
