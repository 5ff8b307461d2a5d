"""A real S3 server behind a wire that breaks at each request in turn, in each way.

What obstore repeats by itself, what it hides and what it lets through is part of what is tested.
"""

import random

import pytest

from pivot.errors import PivotError
from pivot.paths import RepoPath
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot_remotes.errors import AccessDenied, Busy
from pivot_remotes.retrying import Clock, Patience, Retrying
from pivot_remotes.s3.backend import open_bucket
from tests.unit.closure import closure
from tests.unit.remotes.proxy import Proxy, Spoil, proxy_before
from tests.unit.storage import Storage
from tests.unit.team import Team, check_storage, check_store, files_of, put_tree

DATA = RepoPath("data")
FILES = {"a": b"some text " * 30, "cut": random.Random(5).randbytes(1_100_000)}
KEYS = {"access_key_id": "key", "secret_access_key": "secret"}
ONCE = [spoil for spoil in Spoil if spoil is not Spoil.EXPIRED]
CONTENT = {Spoil.SHORT, Spoil.LONG, Spoil.FLIPPED, Spoil.ERROR_BODY}


@pytest.fixture
def wire(moto) -> Proxy:
    with proxy_before(moto) as server:
        yield server


@pytest.fixture
def remote(aws, bucket, wire):
    """The backend of a folder in the bucket; what is to be waited is not."""

    def make(folder):
        options = {**KEYS, "endpoint_url": wire.endpoint, "read_timeout": "0.4"}
        waited = []
        clock = Clock(now=lambda: sum(waited), sleep=waited.append, chance=lambda: 0.5)
        inner = open_bucket(f"s3://{bucket}/{folder}", options, {})
        return Retrying(inner, Patience(), clock)

    return make


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)


def at(number, spoil, times=1):
    return lambda request: spoil if number <= request.number < number + times else None


def stored(backend):
    return Storage({info.key: backend.get(info.key) for info in backend.list("")})


def outcome(action):
    try:
        action()
    except PivotError as error:
        return error
    return None


@pytest.mark.parametrize("spoil", ONCE)
def test_a_push_over_a_wire_that_breaks_once(team, remote, wire, spoil):
    """Of a push nothing is read but answers, so whatever breaks is made good at once."""
    store = team.store("here")
    roots = {DATA: put_tree(store, FILES)}
    push(store, team.remote("count", remote("count")), roots)
    total = len(wire.seen)
    assert total >= 5
    for n in range(total):
        wire.seen.clear()
        wire.spoil = at(n, spoil)
        backend = remote(f"{n}")
        error = outcome(
            lambda n=n, backend=backend: push(store, team.remote(f"{n}", backend), roots)
        )
        wire.spoil = lambda request: None
        check_storage(stored(backend))
        if error is not None:
            assert spoil in CONTENT, (n, error)
            assert error.hint
            push(store, team.remote(f"{n}", backend), roots)
        assert check_storage(stored(backend)) >= closure(store, roots.values())


@pytest.mark.parametrize("spoil", ONCE)
def test_a_fetch_over_a_wire_that_breaks_once(team, remote, wire, spoil):
    store = team.store("here")
    roots = {DATA: put_tree(store, FILES)}
    push(store, team.remote("me", remote("r")), roots)
    wire.seen.clear()
    fetch(team.store("count"), team.remote("count", remote("r")), roots)
    total = len(wire.seen)
    assert total >= 3
    for n in range(total):
        wire.seen.clear()
        wire.spoil = at(n, spoil)
        name = f"f{n}"
        error = outcome(
            lambda name=name: fetch(team.store(name), team.remote(name, remote("r")), roots)
        )
        wire.spoil = lambda request: None
        check_store(team.store(name))
        if error is not None:
            assert spoil in CONTENT, (n, error)
            assert error.hint
            fetch(team.store(name), team.remote(name, remote("r")), roots)
        check_store(team.store(name))
        assert files_of(team.store(name), roots[DATA]) == FILES


def test_a_session_that_expires_on_the_way_is_named_and_the_push_resumes(team, remote, wire):
    store = team.store("here")
    roots = {DATA: put_tree(store, FILES)}
    wire.spoil = at(3, Spoil.EXPIRED, times=1000)
    backend = remote("r")
    error = outcome(lambda: push(store, team.remote("me", backend), roots))
    assert error.code == "denied"
    assert "expired" in error.why
    assert "renew the credentials" in error.hint
    assert len(wire.seen) <= 5, "it is not tried again and again"
    wire.spoil = lambda request: None
    push(store, team.remote("me", backend), roots)
    assert check_storage(stored(backend)) >= closure(store, roots.values())


def test_a_file_is_sent_from_its_start_however_often_it_is_tried(remote, wire, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(random.Random(1).randbytes(3_000_000))
    wire.spoil = at(0, Spoil.SLOW_DOWN, times=4)  # obstore's three, and one of ours
    backend = remote("r")
    backend.put_file("a", str(source))
    assert len(wire.seen) == 5
    assert backend.get("a") == source.read_bytes()


def test_a_file_that_broke_off_is_received_anew(remote, wire, tmp_path):
    body = random.Random(1).randbytes(3_000_000)
    backend = remote("r")
    backend.put("a", body)
    for spoil in (Spoil.CUT, Spoil.RESET, Spoil.SLOW_DOWN):
        wire.seen.clear()
        wire.spoil = at(0, spoil, times=4)
        landed = tmp_path / spoil.name
        backend.get_file("a", str(landed))
        assert landed.read_bytes() == body
        assert len(wire.seen) >= 5


@pytest.mark.parametrize("spoil", [Spoil.SLOW_DOWN, Spoil.RESET, Spoil.CUT, Spoil.SILENT])
@pytest.mark.parametrize("times", [1, 4])
def test_a_page_of_a_listing_that_fails_costs_no_key_and_repeats_none(remote, wire, spoil, times):
    backend = remote("r")
    keys = [f"index/{n}" for n in range(7)]
    for key in keys:
        backend.put(key, b"x")
    wire.rewrite = lambda path: f"{path}&max-keys=2" if "list-type=2" in path else path
    assert [info.key for info in backend.list("index")] == keys
    pages = len(wire.seen) - len(keys)
    assert pages == 4
    wire.seen.clear()
    wire.spoil = at(2, spoil, times)
    assert [info.key for info in backend.list("index")] == keys
    assert len(wire.seen) >= pages + times


def test_a_server_that_stays_busy_is_given_up(remote, wire):
    wire.spoil = at(0, Spoil.SLOW_DOWN, times=10_000)
    with pytest.raises(Busy, match="can't serve now"):
        remote("r").list("")
    assert len(wire.seen) == 15, "obstore's three, five times"


def test_a_session_that_has_expired_is_no_reason_to_try_again(remote, wire):
    wire.spoil = at(0, Spoil.EXPIRED, times=10_000)
    with pytest.raises(AccessDenied):
        remote("r").put("a", b"x")
    assert len(wire.seen) == 1
