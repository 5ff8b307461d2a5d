import os
import signal
import threading

import pytest

from pivot.forking import MOST, Forked, useful


def test_the_result_comes_back_however_large():
    data = os.urandom(1 << 20)  # a pipe holds far less
    forked = Forked.start(lambda: data)
    assert forked.result() == data


def test_work_runs_beside_and_in_another_process(tmp_path):
    os.mkfifo(tmp_path / "gate")

    def work():
        with open(tmp_path / "gate", "rb"):
            return b"%d" % os.getpid()

    forked = Forked.start(work)
    assert not forked.is_done
    with open(tmp_path / "gate", "wb"):
        pass
    assert int(forked.result()) != os.getpid()


@pytest.mark.parametrize(
    "work",
    [
        lambda: 1 / 0,
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os._exit(0) or b"",
        lambda: (_ for _ in ()).throw(KeyboardInterrupt),
        lambda: "no bytes",
    ],
)
def test_work_that_fails_has_no_result_and_says_nothing(work, capfd):
    found = Forked.start(work).result()
    assert not found
    assert capfd.readouterr() == ("", "")


def test_work_that_is_killed_leaves_nothing():
    forked = Forked.start(signal.pause)
    forked.kill()
    with pytest.raises(ChildProcessError):
        os.waitpid(forked._pid, os.WNOHANG)


def test_killing_what_has_ended_does_nothing(monkeypatch):
    forked = Forked.start(lambda: b"done")
    assert forked.result() == b"done"
    monkeypatch.setattr("os.kill", None)  # its number may be another's by now
    forked.kill()


def test_where_no_process_is_left_nothing_is_begun(monkeypatch):
    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = len(os.listdir("/dev/fd"))
    monkeypatch.setattr("os.fork", refuse)
    assert Forked.start(bytes) is None
    assert len(os.listdir("/dev/fd")) == before


@pytest.fixture
def idle(monkeypatch):
    """A process without threads on Linux with eight processors."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("os.process_cpu_count", lambda: 8)


def test_forking_helps_only_where_processors_are_left(idle, monkeypatch):
    assert useful() == MOST
    for processors, expected in ((2, 2), (1, 0), (None, 0)):
        monkeypatch.setattr("os.process_cpu_count", lambda n=processors: n)
        assert useful() == expected


def test_a_process_with_threads_is_not_forked(idle, monkeypatch):
    monkeypatch.undo()
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        assert useful() == 0
    finally:
        gate.set()
        thread.join()


def test_macs_are_not_forked(idle, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert useful() == 0
