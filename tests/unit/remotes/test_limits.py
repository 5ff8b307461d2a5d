import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound, RemoteError
from pivot_remotes.limits import Limiting, Limits
from pivot_remotes.memory import open_memory
from pivot_remotes.retrying import Clock, Retrying

MEBI = 1 << 20


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.time = 100.0
        self.slept = []
        self.clock = Clock(now=lambda: self.time, sleep=self.sleep, chance=lambda: 1.0)

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.time += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def limited(time):
    return Limiting(open_memory("memory://limits"), Limits(rate=MEBI), time.clock)


def test_the_next_call_waits_for_the_bytes_of_the_last(limited, time):
    limited.put("a", bytes(2 * MEBI))
    assert time.slept == []
    limited.put("b", bytes(MEBI))
    assert time.slept == [2]
    limited.get_range("a", 0, MEBI // 2)
    assert time.slept == [2, 1]
    limited.get("b")
    assert time.slept == [2, 1, 0.5]
    limited.get("b")
    assert time.slept == [2, 1, 0.5, 1]


def test_files_count_in_both_directions(limited, time, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(3 * MEBI))
    limited.put_file("f", str(source))
    limited.get_file("f", str(tmp_path / "landed"))
    assert time.slept == [3]
    limited.put("a", b"")
    assert time.slept == [3, 3]


def test_time_that_passed_anyway_is_not_waited_for_again(limited, time):
    limited.put("a", bytes(2 * MEBI))
    time.time += 1.5
    limited.get_range("a", 0, MEBI)
    time.time += 60
    limited.get_range("a", 0, MEBI)
    assert time.slept == [0.5], "and idle time is no credit"
    limited.get_range("a", 0, MEBI)
    assert time.slept == [0.5, 1]


def test_what_carries_no_content_does_not_wait(limited, time):
    limited.put("a", bytes(MEBI))
    limited.list("")
    limited.delete("a")
    limited.delete_all(["a"])
    assert time.slept == []


def test_a_call_that_fails_costs_nothing_that_did_not_come(limited, time, tmp_path):
    with pytest.raises(NotFound):
        limited.get("absent")
    with pytest.raises(RemoteError):
        limited.put_file("a", str(tmp_path / "absent"))
    limited.put("a", b"")
    assert time.slept == []


def test_no_more_calls_at_once_than_connections():
    inner = open_memory("memory://limits-connections")
    now, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=10)

    class Watching:
        def put(self, key, data):
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            both.wait()  # two must be here together: it isn't one at a time either
            with lock:
                now -= 1
            inner.put(key, data)

    limited = Limiting(Watching(), Limits(connections=2))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: limited.put(f"k/{n}", b"x"), range(16)))
    assert most == 2
    assert len(inner.list("k")) == 16


def test_waiting_for_another_attempt_takes_no_connection(time):
    """Retrying stands around the limits: a sleeper must not hold up those who work."""
    backend = connect("memory://limits-order", {"connections": "1", "limit_rate": "1M"})
    assert isinstance(backend, Retrying)
    assert isinstance(backend._inner, Limiting)


def test_without_limits_nothing_stands_between():
    assert not isinstance(connect("memory://limits-none", {})._inner, Limiting)


@pytest.mark.parametrize(
    ("text", "rate"), [("2048", 2048), ("500K", 500 << 10), ("10M", 10 << 20), ("1g", 1 << 30)]
)
def test_rates_are_written_with_units(text, rate):
    backend = connect("memory://limits-units", {"limit_rate": text})
    assert backend._inner._meter._rate == rate
