"""What goes on at the same time, so that latency isn't paid again and again."""

import itertools
import random
import threading
from types import SimpleNamespace

import pytest

from pivot.store.store import Store
from pivot.transfer.costs import SMALL_PACK, pack_size, push_requests
from pivot.transfer.push import push
from pivot_remotes.directory import DirectoryBackend

MEETING = 30.0  # seconds after which those who wait for each other give up


@pytest.fixture
def store(tmp_path):
    return Store.open(str(tmp_path / "store"))


def fill(store, megabytes):
    rnd = random.Random(megabytes)
    with store.writer() as writer:
        return [writer.add_bytes(rnd.randbytes(1 << 20)) for _ in range(megabytes)]


def test_both_listings_are_under_way_at_once(make_remote):
    meeting = threading.Barrier(2, timeout=MEETING)

    class Meeting(DirectoryBackend):
        def list(self, prefix):
            meeting.wait()
            return super().list(prefix)

    make_remote().open_to_write()
    make_remote("me", Meeting).list_to_write(tombstones=True)


def test_a_listing_that_fails_is_told_whichever_it_is(make_remote):
    make_remote().open_to_write()
    for failing in ("index", "tombstones"):

        class Failing(DirectoryBackend):
            def list(self, prefix, failing=failing):
                if prefix == failing:
                    raise ValueError(failing)
                return super().list(prefix)

        with pytest.raises(ValueError, match=failing):
            make_remote("me", Failing).list_to_write(tombstones=True)


def test_packs_are_sent_side_by_side_while_the_next_is_made(make_remote, store):
    """Each of three waits for the other two, which a push of one at a time would never send."""
    meeting = threading.Barrier(3, timeout=MEETING)
    sizes = []

    class Meeting(DirectoryBackend):
        def put(self, key, data):
            super().put(key, data)
            if key.startswith("packs/"):
                sizes.append(len(data))
                meeting.wait()

    ids = fill(store, 3 * (SMALL_PACK >> 20))
    remote = make_remote("me", Meeting)
    remote.open_to_write()
    moved = push(store, remote, [ids], len(ids) << 20)
    assert moved.objects == len(ids)
    assert remote.held(ids).ids == set(ids)
    assert max(sizes) < 16 << 20  # no storage takes that in parts


@pytest.mark.parametrize(("seconds", "order"), [(25.0, "ppipi"), (1.0, "pppi")])
def test_what_was_sent_in_a_minute_is_indexed(make_remote, store, monkeypatch, seconds, order):
    """Packs that take longer to make are named before all of sixteen are there."""
    ticks = itertools.count(step=seconds)
    monkeypatch.setattr("pivot.transfer.push.time", SimpleNamespace(monotonic=ticks.__next__))
    sent = []

    class Noting(DirectoryBackend):
        def put(self, key, data):
            super().put(key, data)
            sent.append(key[0])

    ids = fill(store, 3 * (SMALL_PACK >> 20))
    remote = make_remote("me", Noting)
    remote.open_to_write()
    sent.clear()
    push(store, remote, [ids], len(ids) << 20)
    assert "".join(sent) == order


def test_a_large_push_makes_packs_as_large_as_they_get():
    assert pack_size(0, 8) == SMALL_PACK
    assert pack_size(200 << 20, 8) == 25 << 20
    assert pack_size(1 << 40, 8) == 64 << 20


@pytest.mark.parametrize(
    ("objects", "stored", "part", "requests"),
    [
        (0, 0, None, 1),
        (1, 10, None, 3),
        (10_000, 41_000_000, 16 << 20, 6),
        (4096, 1 << 30, 16 << 20, 16 * (2 + 4) + 1 + 1),
        (1_000_000, 1, None, 10 + 1 + 1),
    ],
)
def test_how_many_requests_a_push_will_take(objects, stored, part, requests):
    assert push_requests(objects, stored, stored, part_size=part, jobs=8) == requests
