"""Trying out a remote: each fault of a storage is found, named, and nothing is left behind."""

import os
from dataclasses import replace

import pytest

from pivot.store.entry import FileName
from pivot.store.identity import STORE_KEY, StoreId
from pivot.transfer import latest, pace, probing
from pivot.transfer.check import Mark
from pivot.transfer.probing import Probe, Target, opened
from pivot_remotes.backend import ObjectInfo
from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, BadAddress, NotFound, RemoteError, Unreachable

NAMES = ["open", "list", "store", "write", "read", "ranges", "replace", "clock", "requests",
         "upload", "download", "delete"]  # fmt: skip


class Spoiled:
    """A storage in memory, of which a test replaces verbs."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(pace, "_MANY", 9)
    monkeypatch.setattr(pace, "_FIRST", 1000)
    monkeypatch.setattr(pace, "LARGE", 5000)


@pytest.fixture
def storage(request):
    return Spoiled(
        connect(f"memory://{request.node.nodeid.encode().hex()[-200:]}", {"attempts": "1"})
    )


@pytest.fixture
def target(tmp_path):
    return Target("s3://bucket", {}, frozenset(), str(tmp_path), 4, read_only=False)


def run(storage, target):
    probe = Probe(storage, target)
    return probe, {check.name: check for check in probe.run()}


def denying(*_):
    raise AccessDenied("access is denied", hint="Ask")


def test_storage_that_does_as_it_should_passes_everything_and_is_left_as_it_was(storage, target):
    storage.put("packs/one", b"mine")
    probe, checks = run(storage, target)
    assert list(checks) == NAMES
    assert {check.mark for check in checks.values()} == {Mark.OK}, checks
    assert [info.key for info in storage.list("")] == ["packs/one"]
    assert checks["store"].text == "no Pivot store yet; the first `pivot push` makes one"
    assert probe.store is None
    assert all(rate.amount > 0 for rate in (probe.requests, probe.up, probe.down))


def test_store_that_is_there_is_named(storage, target):
    id_ = StoreId.fresh()
    storage.put(STORE_KEY, id_.encode())
    probe, checks = run(storage, target)
    assert probe.store == id_
    assert checks["store"].text == f"Pivot store {id_.text[:8]}, format 1"


def test_store_of_another_kind_fails(storage, target):
    storage.put(STORE_KEY, b'{"format": 99, "id": "x"}')
    _, checks = run(storage, target)
    assert checks["store"].mark is Mark.FAILED
    assert "newer than this Pivot reads" in checks["store"].text
    assert checks["delete"].mark is Mark.OK


@pytest.mark.parametrize(
    ("verb", "failing", "right"),
    [
        ("list", {"list", "clock", "delete"}, "s3:ListBucket"),
        ("get", {"store", "read", "replace", "requests", "delete"}, "s3:GetObject"),
        ("put", {"write"}, "s3:PutObject"),
        ("put_file", {"upload"}, "s3:PutObject"),
        ("delete", {"delete"}, "s3:DeleteObject"),
    ],
)
def test_what_is_not_allowed_is_named_with_the_right_that_it_needs(
    storage, target, verb, failing, right
):
    setattr(storage, verb, denying)
    _, checks = run(storage, target)
    failed = {check.name for check in checks.values() if check.mark is Mark.FAILED}
    assert failed == failing
    assert all(checks[name].denied for name in failed)
    first = checks[min(failed, key=NAMES.index)]
    assert first.hint.startswith("Ask; this needs ")
    assert right in first.hint
    del storage.__dict__[verb]
    assert storage.list("") == []


def test_right_to_delete_that_is_missing_leaves_what_it_names(storage, target):
    storage.delete = storage.delete_all = denying
    _, checks = run(storage, target)
    left = checks["clean up"]
    assert left.mark is Mark.FAILED
    keys = [info.key for info in storage.list("")]
    assert keys
    prefix = left.hint.split("`")[1].removesuffix("*")
    assert prefix.startswith("tmp/probe-")
    assert all(key.startswith(prefix) for key in keys)


def test_nothing_is_written_to_what_is_read_only(storage, target):
    id_ = StoreId.fresh()
    storage.put(STORE_KEY, id_.encode())
    storage.put("index/some.idx", os.urandom(pace.SMALL))
    storage.put = storage.put_file = storage.delete = storage.delete_all = None  # not called
    _, checks = run(storage, replace(target, read_only=True))
    done = {check.name for check in checks.values() if check.mark is Mark.OK}
    assert done == {"open", "list", "store", "ranges", "download"}
    assert {check.mark for check in checks.values()} == {Mark.OK, Mark.SKIPPED}


def test_read_only_remote_without_a_store_is_of_no_use(storage, target):
    _, checks = run(storage, replace(target, read_only=True))
    assert (checks["store"].mark, checks["store"].text) == (Mark.FAILED, "no Pivot store is there")


def test_storage_that_cannot_list_needs_what_was_published(storage, target):
    storage.capabilities = replace(storage.capabilities, can_list=False, can_write=False)
    storage.list = None  # not called
    storage.put(STORE_KEY, StoreId.fresh().encode())
    _, checks = run(storage, target)
    assert checks["list"].mark is Mark.FAILED
    assert "`publish = true`" in checks["list"].hint
    names = frozenset({FileName.fresh(), FileName.fresh()})
    storage.put(latest.KEY, latest.Listing(names, frozenset()).encode())
    _, checks = run(storage, target)
    assert checks["list"].text.startswith("2 indexes by index/latest.json")
    assert checks["write"].text == "this storage can't be written to"
    assert {check.mark for check in checks.values()} == {Mark.OK, Mark.SKIPPED}


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("gone"),
        BadAddress("no such bucket"),
        AccessDenied("the key is unknown", hint="Check", final=True),
    ],
)
def test_nothing_else_is_tried_at_what_cannot_be_reached(storage, target, error):
    def fail(_):
        raise error

    storage.list = fail
    _, checks = run(storage, target)
    assert checks["list"].mark is Mark.FAILED
    assert checks["list"].hint == error.hint, "no right would help"
    assert {checks[name].text for name in NAMES[2:]} == {"not tried"}


def test_address_that_cannot_be_opened_is_a_failed_check(target):
    check = opened(replace(target, url="gopher://x"))
    assert (check.name, check.mark) == ("open", Mark.FAILED)
    assert "gopher" in check.text


# -- storages that do something else than they should ----------------------------------------------


def test_other_bytes_than_were_written(storage, target):
    get = storage.get
    storage.get = lambda key: get(key)[::-1]
    _, checks = run(storage, target)
    assert checks["read"].text == "other bytes came back than were written"


def test_range_of_other_bytes(storage, target):
    get_range = storage.get_range
    storage.get_range = lambda key, start, length: get_range(key, start + 1, length)
    _, checks = run(storage, target)
    assert checks["ranges"].text == "a range has other bytes than the whole"


def test_object_that_can_be_read_half_replaced(storage, target):
    get = storage.get

    def half(key):
        data = get(key)
        return (
            data[: len(data) // 2]
            if probing.threading.current_thread().name != "MainThread"
            else data
        )

    storage.get = half
    _, checks = run(storage, target)
    assert checks["replace"].text == "an object could be read half replaced"


def test_object_that_stays_old_when_it_is_replaced(storage, target):
    put = storage.put
    seen = set()

    def once(key, data):
        if key not in seen:
            seen.add(key)
            put(key, data)

    storage.put = once
    _, checks = run(storage, target)
    assert checks["replace"].text == "an old object was read after it was replaced"


@pytest.mark.parametrize(("skew", "side"), [(400, "behind"), (-400, "ahead of")])
def test_clock_that_is_off(storage, target, skew, side):
    list_ = storage.list
    now = probing.time.time

    def skewed(prefix):
        return [ObjectInfo(i.key, i.size, now() + skew) for i in list_(prefix)]

    storage.list = skewed
    _, checks = run(storage, target)
    assert checks["clock"].mark is Mark.FAILED
    assert f"{side} the storage's" in checks["clock"].text
    assert checks["clock"].hint == "Set the clock"


def test_storage_without_times_says_nothing_of_the_clock(storage, target):
    list_ = storage.list
    storage.list = lambda prefix: [ObjectInfo(i.key, i.size) for i in list_(prefix)]
    _, checks = run(storage, target)
    assert checks["clock"].mark is Mark.SKIPPED


def test_new_object_that_is_not_listed(storage, target):
    storage.list = lambda prefix: []
    _, checks = run(storage, target)
    assert checks["clock"].text == "a new object isn't listed at once"


def test_other_bytes_than_were_sent(storage, target):
    get_file = storage.get_file

    def spoiled(key, path):
        get_file(key, path)
        with open(path, "r+b") as f:
            f.write(b"\0\0\0\0\0\0\0\0")

    storage.get_file = spoiled
    _, checks = run(storage, target)
    assert checks["download"].text == "other bytes came back than were sent"


def test_object_that_is_there_after_it_was_deleted(storage, target):
    storage.delete = lambda key: None
    _, checks = run(storage, target)
    assert checks["delete"].text == "an object could be read after it was deleted"
    del storage.delete
    assert [i.key for i in storage.list("")] == []


def test_error_while_replacing_is_that_of_the_storage(storage, target):
    get = storage.get

    def fail(key):
        if key.endswith("replaced") and probing.threading.current_thread().name != "MainThread":
            raise RemoteError("it burns")
        return get(key)

    storage.get = fail
    _, checks = run(storage, target)
    assert checks["replace"].text == "it burns"


def test_interrupt_leaves_nothing(storage, target):
    probe = Probe(storage, target)
    for check in probe.run():
        if check.name == "upload":
            break
    with pytest.raises(NotFound):
        storage.get("tmp")
    assert storage.list("") == []
