"""How many requests a team pays for, counted by the server."""

import random

import pytest

from pivot.paths import RepoPath
from pivot.sync.fetch import fetch
from pivot.sync.foreseeing import foresee_push
from pivot.sync.push import push
from pivot.transfer.remote import RemoteStore
from pivot_remotes.connect import connect

DATA = RepoPath("data")


@pytest.fixture
def counted(bucket):
    """Call something; returns what it returns, and the requests that the server got meanwhile."""

    def call(function, *args):
        before = len(bucket.requests())
        result = function(*args)
        return result, bucket.requests()[before:]

    return call


@pytest.fixture
def stored(bucket):
    """Bytes in the bucket."""
    return lambda: sum(info.size for info in connect(bucket.url, {}).list(""))


def test_small_files_by_the_ten_thousand(
    bucket, counted, stored, make_store, put_tree, files_of, tmp_path
):
    def remote(client="me"):
        return RemoteStore.at(bucket.url, {}, str(tmp_path / f"cache-{client}"))

    store = make_store()
    rnd = random.Random(0)
    files = {f"{n:05}": rnd.randbytes(4096) for n in range(10_000)}
    roots = {DATA: put_tree(store, files)}
    foreseen = foresee_push(store, remote("foreseer"), roots)
    first, requests = counted(push, store, remote(), roots)
    assert len(requests) == first.requests <= 12
    assert foreseen.requests == first.requests
    assert (foreseen.objects, foreseen.bytes) == (first.objects, first.bytes)
    whole = stored()

    nothing, requests = counted(push, make_store(), remote(), roots)
    assert (nothing.objects, len(requests), nothing.requests) == (0, 2, 2)
    unproved, requests = counted(push, make_store(), remote("colleague"), roots)
    assert (unproved.objects, len(requests)) == (0, unproved.requests)
    assert unproved.requests <= 5

    before = stored()
    files["00007"] = b"changed"
    roots = {DATA: put_tree(store, files)}
    foreseen = foresee_push(store, remote(), roots)
    changed, requests = counted(push, store, remote(), roots)
    assert len(requests) == changed.requests == foreseen.requests <= 4
    assert stored() - before < whole / 100

    fetched, requests = counted(fetch, make_store("fresh"), remote("fresh"), roots)
    assert len(requests) == fetched.requests <= 12
    assert files_of(make_store("fresh"), roots[DATA]) == files


def test_the_eighth_push_merges_in_two_more(bucket, counted, make_store, put_file, tmp_path):
    def send(n):
        remote = RemoteStore.at(bucket.url, {}, str(tmp_path / "cache"))
        return counted(push, make_store(), remote, {DATA: put_file(make_store(), b"%d" % n)})

    counts = []
    for n in range(10):
        summary, requests = send(n)
        assert len(requests) == summary.requests
        counts.append(summary.requests)
    assert counts[1:7] == [4] * 6  # listing, pack, index, tombstones
    assert counts[7:] == [6, 4, 4]  # and a merged index, and a delete of eight


def test_bytes_are_counted_as_the_server_stores_them(
    bucket, stored, make_store, put_tree, tmp_path
):
    rnd = random.Random(1)
    store = make_store()
    roots = {DATA: put_tree(store, {"cut": rnd.randbytes(40_000_000), "small": b"small"})}
    remote = RemoteStore.at(bucket.url, {}, str(tmp_path / "cache"))
    push(store, remote, roots)
    assert remote._trace.counts().sent == stored()
