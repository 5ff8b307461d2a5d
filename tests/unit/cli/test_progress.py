"""The line that shows how far long work is."""

import io
import threading
from contextlib import contextmanager, redirect_stderr

import pytest

from pivot.cli import progress
from pivot.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The time that the line goes by, in seconds; a test sets `clock[0]`."""
    now = [100.0]
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal():
    return Terminal()


@contextmanager
def progress_on(stream, verb="pushed"):
    with redirect_stderr(stream), Progress(verb) as shown:
        yield shown


def test_short_work_says_nothing(clock, terminal):
    with progress_on(terminal) as shown:
        clock[0] += 0.4
        shown(10, 10)
    assert terminal.getvalue() == ""


def test_terminal_gets_one_line_that_is_rewritten_and_cleared(clock, terminal):
    with progress_on(terminal) as shown:
        clock[0] += 2
        shown(2_000_000, 10_000_000)
        clock[0] += 0.05
        shown(2_500_000, 10_000_000)
        clock[0] += 1.95
        shown(8_000_000, 10_000_000)
    *lines, blank, end = terminal.getvalue().split("\r")
    assert lines == [
        "",
        "pushed  20% [####--------------------]      2 MB of 10 MB      1 MB/s         8 s left",
        "pushed  80% [###################-----]      8 MB of 10 MB      2 MB/s         1 s left",
    ]
    assert blank == " " * len(lines[1])
    assert end == ""


@pytest.mark.parametrize("columns", [20, 60, 70, 80, 200])
def test_bar_fits_the_terminal_and_keeps_its_width(clock, terminal, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    with progress_on(terminal) as shown:
        for done in (1, 999, 123_456, 54_321_000, 3_399_999_999):
            clock[0] += 7
            shown(done, 3_400_000_000, (done // 1_000_000, 3_400))
    lines = terminal.getvalue().split("\r")[1:-2]
    assert len(lines) == 5
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) < columns
    assert ("[" in lines[0]) == (columns == 200)


@pytest.mark.parametrize(("rate", "left"), [(100, "100 s"), (10, "16 min"), (1, "2 h 46 min")])
def test_time_left_is_told_in_its_units(clock, rate, left):
    pipe = io.StringIO()
    with progress_on(pipe) as shown:
        clock[0] += 100
        shown(100 * rate, 10_000 + 100 * rate)
    assert f", {left} left" in pipe.getvalue()


def test_phase_is_shown_once_it_takes_long(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    with progress_on(terminal) as shown:
        shown.phase("listing storage")
        shown._waiting.join()
        shown.phase("packing")
        shown._waiting.join()
    first, second, blank = terminal.getvalue().split("\r")[1:4]
    assert first == "listing storage ..."
    assert second == "packing ...".ljust(len(first))
    assert blank == " " * len(first)


def test_short_phase_says_nothing_and_leaves_no_thread(terminal):
    before = threading.active_count()
    with progress_on(terminal) as shown:
        shown.phase("listing storage")
        shown(0, 10)
        assert threading.active_count() == before
        shown.phase("listing storage")
    assert threading.active_count() == before
    assert terminal.getvalue() == ""


def test_rate_goes_by_the_time_after_the_phase(clock):
    pipe = io.StringIO()
    with progress_on(pipe) as shown:
        shown.phase("listing storage")
        clock[0] += 100
        shown(0, 10_000_000)
        clock[0] += 10
        shown(5_000_000, 10_000_000)
    assert pipe.getvalue() == "pushed 5 MB of 10 MB, 500 kB/s, 10 s left\n"


def test_environment_silences_phases_too(terminal, monkeypatch):
    monkeypatch.setenv("PIVOT_NO_PROGRESS", "1")
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    before = threading.active_count()
    with progress_on(terminal) as shown:
        shown.phase("listing storage")
        assert threading.active_count() == before
    assert terminal.getvalue() == ""


def test_shorter_text_covers_the_longer_one(clock, terminal):
    with progress_on(terminal) as shown:
        clock[0] += 1
        shown(123_000, 999_900_000)
        clock[0] += 1
        shown(999_900_000, 999_900_000)
    _, first, second, *_ = terminal.getvalue().split("\r")
    assert len(second) == len(first)


def test_pipe_gets_a_line_now_and_then(clock):
    pipe = io.StringIO()
    with progress_on(pipe, "fetched") as shown:
        for _ in range(25):
            clock[0] += 1
            shown(1000, 100_000)
    lines = pipe.getvalue().splitlines()
    assert lines == [
        "fetched 1 kB of 100 kB, 100 bytes/s, 16 min left",
        "fetched 1 kB of 100 kB, 50 bytes/s, 33 min left",
    ]


def test_nothing_done_yet_has_no_rate_to_go_by(clock, terminal):
    with progress_on(terminal) as shown:
        clock[0] += 1
        shown(0, 100)
    assert "pushed   0% [-" in terminal.getvalue()
    assert " 0 bytes/s           - left" in terminal.getvalue()


def test_environment_silences_it(clock, terminal, monkeypatch):
    monkeypatch.setenv("PIVOT_NO_PROGRESS", "1")
    with progress_on(terminal) as shown:
        clock[0] += 100
        shown(1, 2)
    assert terminal.getvalue() == ""


def test_line_is_cleared_before_an_error_is_shown(clock, terminal):
    def fail():
        with progress_on(terminal) as shown:
            clock[0] += 1
            shown(1, 2)
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    assert terminal.getvalue().endswith(" \r")


def test_what_came_before_the_beginning_doesnt_slow_the_rate(clock):
    pipe = io.StringIO()
    with progress_on(pipe, "restored") as shown:
        clock[0] += 100
        shown.begin()
        clock[0] += 10
        shown(5_000_000, 10_000_000)
    assert pipe.getvalue().endswith("500 kB/s, 10 s left\n")


def test_files_are_counted_beside_bytes(clock):
    pipe = io.StringIO()
    with progress_on(pipe, "restored") as shown:
        clock[0] += 20
        shown(2_000_000, 10_000_000, (1_200, 10_000))
    assert "restored 2 MB of 10 MB, 1,200 of 10,000 files, " in pipe.getvalue()
