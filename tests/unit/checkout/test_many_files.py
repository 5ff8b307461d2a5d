"""Helping processes, files that are read ahead, and progress."""

import os
import signal
import threading

import pytest

from pivot.errors import IntegrityError
from pivot.forking import Forked
from pivot.placing import place
from pivot.store.store import Store
from pivot.writing import TreeWriter
from tests.unit.checkout.plans import OUT, no_reading_of


def test_helping_processes_write_the_same(bench, tree, keep, put, many, clean, monkeypatch):
    started = []
    real = Forked.start
    monkeypatch.setattr(Forked, "start", lambda work: started.append(1) or real(work))
    tree(many)
    (bench.root / "out" / "x").chmod(0o755)
    content = keep()
    put(content)
    assert started
    assert bench.look("out") == many
    assert os.access(bench.root / "out" / "x", os.X_OK)
    clean()
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of(""))
    assert bench.workspace.content(OUT) == content


def test_a_helping_process_that_dies_costs_time_alone(
    bench, tree, keep, put, many, clean, monkeypatch
):
    tree(many)
    content = keep()
    parent = os.getpid()
    real = TreeWriter._write_batch

    def die(*arguments):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    monkeypatch.setattr(TreeWriter, "_write_batch", die)
    put(content)
    assert bench.look("out") == many
    clean()


def test_where_no_helping_process_can_be_had_all_is_written_here(
    bench, tree, keep, put, many, monkeypatch
):
    monkeypatch.setattr(Forked, "start", lambda _: None)
    tree(many)
    put(keep())
    assert bench.look("out") == many


@pytest.fixture
def ahead(monkeypatch):
    """Files of three chunks or more are read one chunk ahead."""
    monkeypatch.setattr("pivot.writing.BATCH_BYTES", 1 << 20)


def test_a_large_file_that_is_read_ahead_comes_back(bench, keep, put, ahead, clean):
    data = os.urandom(3 << 20)
    bench.write({"out": data})
    put(keep())
    assert bench.look() == {"out": data}
    clean()


def test_damage_in_a_large_file_that_is_read_ahead_shows_nothing(
    bench, keep, put, ahead, clean, monkeypatch
):
    bench.write({"out": os.urandom(3 << 20)})
    content = keep()
    real = Store.read_unverified
    seen = []

    def damaged(store, id_):
        seen.append(id_)
        if len(seen) == 4:
            raise IntegrityError("it is damaged")
        return real(store, id_)

    monkeypatch.setattr(Store, "read_unverified", damaged)
    with pytest.raises(IntegrityError, match="it is damaged"):
        put(content)
    assert not (bench.root / "out").exists()
    assert not any("ThreadPool" in thread.name for thread in threading.enumerate())
    clean()


def test_what_a_helping_process_finds_damaged_is_told_as_ever(
    bench, tree, keep, put, many, clean, monkeypatch
):
    tree({"old": b"old"})
    keep(leave=True)
    tree(many)
    content = keep(leave=True)
    (bench.root / "out" / "old").unlink()
    (bench.root / "out" / "large").unlink()
    before = bench.look("out")
    real = Store.read_file

    def damaged(store, file):
        if file.size == 2:
            raise IntegrityError("it is damaged")
        return real(store, file)

    monkeypatch.setattr(Store, "read_file", damaged)
    bench.state.forget_below(OUT)
    with pytest.raises(IntegrityError, match="it is damaged"):
        put(content)
    assert bench.look("out") == before
    clean()


@pytest.mark.parametrize("step", [(TreeWriter, "_take"), (Forked, "result"), (Forked, "_end")])
def test_an_interrupted_checkout_leaves_no_process_behind(
    bench, tree, keep, put, many, clean, monkeypatch, step
):
    tree(many)
    content = keep()

    started = []
    real = os.fork
    monkeypatch.setattr("os.fork", lambda: started.append(real()) or started[-1])

    step_itself = getattr(*step)

    def interrupt(*_):
        monkeypatch.setattr(*step, step_itself)
        raise KeyboardInterrupt

    monkeypatch.setattr(*step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        put(content)
    assert started
    for pid in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    assert not (bench.root / "out").exists()
    clean()


def test_progress_counts_every_file_and_byte_once(bench, tree, keep, many):
    tree(many)
    content = keep()
    seen = []
    advance = lambda files, size: seen.append((files, size))  # noqa: E731
    place(bench.workspace, bench.state, bench.store, OUT, content, advance)
    assert tuple(map(sum, zip(*seen, strict=True))) == (content.files, content.size)
