"""The pipeline behind a writer: order, bounds, failures and interrupts."""

import _thread
import errno
import os
import random
import signal
import threading
import time
from concurrent.futures import Future

import pytest

from pivot.store.codec import Compressor
from pivot.store.entry import FileName
from pivot.store.indexing import land_index
from pivot.store.pack import PackWriter
from pivot.store.store import Store

PATIENCE = 10.0


def blocks(count, seed=0):
    """Blocks too large to share a frame, every second compressible."""
    rng = random.Random(seed)
    return [rng.randbytes(130_000) if n % 2 else b"%06d " % n * 18_000 for n in range(count)]


def store_with_delays(root, delays, monkeypatch):
    """All files of a new store after a session in which compressing took `delays` seconds."""
    numbers = iter(range(1 << 16))
    left = iter(delays)
    real = Compressor.compress

    def slow(self, raw):
        time.sleep(next(left))
        return real(self, raw)

    with monkeypatch.context() as patch:
        patch.setattr(FileName, "fresh", lambda: FileName(next(numbers).to_bytes(16, "little")))
        patch.setattr(Compressor, "compress", slow)
        patch.setattr("pivot.store.packer.PACK_SIZE", 1 << 19)
        patch.setattr("pivot.store.packer._compressors", lambda: 4)
        with Store.open(root).writer() as writer:
            for block in blocks(len(delays)):
                writer.add_bytes(block)


def test_the_same_input_makes_the_same_packs_whichever_thread_is_faster(
    tmp_path, files_of, monkeypatch
):
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    store_with_delays(first, [0.0] * 24, monkeypatch)
    store_with_delays(second, [0.02, 0.0, 0.0, 0.01] * 6, monkeypatch)
    one, two = files_of(first), files_of(second)
    assert sum(name.endswith(".pack") for name in one) > 2
    one.pop("pivot-store.json")
    two.pop("pivot-store.json")
    assert one == two


def test_what_waits_is_bounded_in_bytes(store, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.QUEUE_BYTES", 1_000_000)
    go, added, held = threading.Event(), [], []
    compress, result = Compressor.compress, Future.result

    def held_up(self, raw):
        assert go.wait(PATIENCE)
        return compress(self, raw)

    def waiting(self, timeout=None):
        if threading.current_thread() is threading.main_thread():
            held.append(len(added))
            go.set()
        return result(self, timeout)

    monkeypatch.setattr(Compressor, "compress", held_up)
    monkeypatch.setattr(Future, "result", waiting)
    with store.writer() as writer:
        added.extend(map(writer.add_bytes, blocks(24)))
    # Seven of 126,000 to 130,000 bytes fit; one is open in each group, and one is handed over.
    assert 8 <= held[0] <= 10
    assert len(added) == 24
    assert all(store.has(id_) for id_ in added)


def test_a_failure_is_told_at_the_next_call_and_not_when_the_queue_is_full(
    store, unhurried, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PackWriter, "append", full)
    with pytest.raises(OSError, match="No space"), store.writer() as writer:  # noqa: PT012
        for block in blocks(40):
            writer.add_bytes(block)
    assert len(unhurried) == 2


def test_a_failure_of_compressing_fails_the_session(store, files_of, monkeypatch):
    def exhausted(_, raw):
        raise MemoryError

    before = files_of(store.root)
    with monkeypatch.context() as patch:
        patch.setattr(Compressor, "compress", exhausted)
        with pytest.raises(MemoryError), store.writer() as writer:
            writer.add_bytes(b"data")
    assert files_of(store.root) == before


class Interrupting:
    """A stream in whose middle someone presses Ctrl-C."""

    def __init__(self, data):
        self._left = [data[len(data) // 2 :], data[: len(data) // 2]]

    def read(self, _, /):
        if len(self._left) == 1:
            signal.raise_signal(signal.SIGINT)
        return self._left.pop()


def test_an_interrupt_leaves_nothing_behind(store, files_of, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.PACK_SIZE", 1 << 18)
    before = files_of(store.root)
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt), store.writer() as writer:
        writer.add_stream(Interrupting(os.urandom(4 << 20)))
    assert files_of(store.root) == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_while_an_index_is_written_removes_nothing_that_it_names(
    root, when, files_of, monkeypatch
):
    """It hits the main thread while that waits for the index."""
    store = Store.open(root)

    def interrupted(*args):
        if when == "before":
            _thread.interrupt_main()
            time.sleep(0.05)
        land_index(*args)
        if when == "after":
            _thread.interrupt_main()
            time.sleep(0.05)

    monkeypatch.setattr("pivot.store.packer.land_index", interrupted)
    with pytest.raises(KeyboardInterrupt), store.writer() as writer:
        id_ = writer.add_bytes(b"data")
    assert Store.open(root).read(id_) == b"data"
    assert not [name for name in files_of(root) if name.startswith("tmp/")]
