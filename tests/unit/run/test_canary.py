"""Whether forking works is tried."""

import os
import time
import warnings

from pivot.run import canary


def test_forking_works_here():
    assert canary.forking_works()


def test_child_that_fails_means_that_it_doesnt(monkeypatch):
    monkeypatch.setattr(canary, "_exercise", lambda: os._exit(9))
    assert not canary.forking_works()


def test_child_that_hangs_means_that_it_doesnt(monkeypatch):
    monkeypatch.setattr(canary, "_exercise", lambda: time.sleep(60))
    monkeypatch.setattr(canary, "PATIENCE_S", 0.05)
    assert not canary.forking_works()


def test_no_room_for_a_process_means_that_it_doesnt(monkeypatch):
    def refuse():
        raise BlockingIOError

    monkeypatch.setattr(canary, "fork", refuse)
    assert not canary.forking_works()


def test_fork_leaves_warnings_as_they_were():
    before = list(warnings.filters)
    pid = canary.fork()
    if pid == 0:
        os._exit(0 if warnings.filters == before else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert warnings.filters == before
