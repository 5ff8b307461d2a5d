import os
import time

import pytest

from pivot.clock import COARSE_TICK_NS, TICK_NS, FileClock
from pivot.files import Stat

HOUR = 3600 * 10**9


def stat(*, mtime=HOUR, ctime=HOUR, whole=False):
    """A file by the ages of its times, in nanoseconds."""
    now = time.time_ns()
    times = [now - mtime, now - ctime]
    times = [at - at % 10**9 if whole else at | 1 for at in times]
    return Stat(*times, 5, 77, 0o100644)


@pytest.fixture
def clock(tmp_path):
    return FileClock(str(tmp_path))


def test_a_file_is_racy_within_a_tick_of_its_last_change(clock):
    assert clock.is_racy(stat(mtime=0, ctime=0))
    assert clock.is_racy(stat(ctime=0)), "its times were put back"
    assert not clock.is_racy(stat())


def test_waiting_a_tick_is_enough_and_needed(clock):
    young = stat(mtime=0, ctime=0)
    clock.settle(young)
    assert not clock.is_racy(young)


def test_nothing_is_waited_for_that_is_old_or_to_come(clock, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it slept"))
    clock.settle(stat())
    clock.settle(stat(mtime=-HOUR, ctime=-HOUR))


def test_a_change_in_the_future_is_racy_and_a_future_time_that_was_set_is_not(clock):
    """Who sets a modification time changes the other time, which nobody can set."""
    assert clock.is_racy(stat(mtime=-HOUR, ctime=-HOUR))
    assert clock.is_racy(stat(ctime=-HOUR))
    assert not clock.is_racy(stat(mtime=-HOUR))


def test_whole_seconds_are_taken_for_a_coarse_clock(clock):
    """FAT keeps every other second: an edit a second later may leave the same time."""
    assert clock.is_racy(stat(mtime=0, ctime=0, whole=True))
    assert clock.is_racy(stat(mtime=10**9, ctime=10**9, whole=True))
    old = COARSE_TICK_NS + 10**9
    assert not clock.is_racy(stat(mtime=old, ctime=old, whole=True))


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_the_clock_of_another_machine_is_the_one_that_counts(clock, tmp_path, monkeypatch, ahead):
    real = os.fstat

    class Remote:
        def __init__(self, fd):
            self.st_ctime_ns = real(fd).st_ctime_ns + ahead

    with monkeypatch.context() as patch:
        patch.setattr("os.fstat", Remote)
        clock.now()
    assert clock.is_racy(stat(mtime=-ahead, ctime=-ahead))
    assert not clock.is_racy(stat(mtime=HOUR - ahead, ctime=HOUR - ahead))
    assert os.listdir(tmp_path) == []


def test_our_own_clock_does_where_no_file_can_be_made(tmp_path):
    clock = FileClock(str(tmp_path / "absent"))
    assert clock.is_racy(stat(mtime=TICK_NS // 2, ctime=TICK_NS // 2))
    assert not clock.is_racy(stat())
