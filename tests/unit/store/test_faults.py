"""A disk that fails at each call in turn: the store is as it was, and the next try succeeds."""

import errno
import io
import os
import threading

import pytest

from pivot.errors import PivotError
from pivot.hashing import hash_bytes
from pivot.store.codec import Compressor

BIG = os.urandom(2 << 20)
PATIENCE = 10.0


def add(store):
    with store.writer() as writer:
        writer.add_bytes(b"small")
        return writer.add_stream(io.BytesIO(BIG))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failed_session_leaves_the_store_as_it_was(bench, faults, error, files_of, monkeypatch):
    monkeypatch.setattr("pivot.store.packer.PACK_SIZE", 1 << 20)
    store = bench.store
    with store.writer() as writer:
        before_id = writer.add_bytes(b"before")
    before = files_of(store.root)
    n = 0
    while True:
        with faults(n, error) as seen:
            try:
                added = add(store)
            except (OSError, PivotError):
                failed = True
            else:
                failed = False
        if n >= len(seen.calls):
            break
        if seen.calls[n] != "unlink":
            assert failed, seen.calls[n]
            assert files_of(store.root) == before, seen.calls[n]
        fresh = type(store).open(store.root)
        assert fresh.read(before_id) == b"before"
        if failed:
            assert not fresh.has(hash_bytes(b"small"))
        n += 1
    assert n > 15
    assert seen.calls.count("write") > 5
    assert store.read(hash_bytes(b"small")) == b"small"
    assert store.has(added.recipe)


def test_a_failed_session_can_be_tried_again_at_once(bench, faults):
    with faults(3), pytest.raises(OSError, match="No space"):
        add(bench.store)
    added = add(bench.store)
    assert bench.store.has(added.recipe)


def test_a_pack_with_a_hole_is_never_indexed(bench, faults, monkeypatch):
    """One write fails, those after it would succeed: the session must not go on with that pack."""
    monkeypatch.setattr("pivot.store.packer.INDEX_ENTRIES", 1)
    go, compress = threading.Event(), Compressor.compress

    def held_up(self, raw):
        assert go.wait(PATIENCE)
        return compress(self, raw)

    blocks = [os.urandom(130_000) for _ in range(7)]
    with faults() as seen, bench.store.writer() as writer:
        writer.add_bytes(b"first")
    before = bench.store.index_names()
    header_and_table = seen.calls.index("write") + 1
    monkeypatch.setattr(Compressor, "compress", held_up)
    with (  # noqa: PT012
        faults(header_and_table),
        pytest.raises(OSError, match="No space"),
        bench.store.writer() as writer,
    ):
        for block in blocks:
            writer.add_bytes(block)
        go.set()  # all of them are handed over by now, and none is written
    assert type(bench.store).open(bench.store.root).index_names() == before
