"""The storages that go wrong on purpose: they do so as they are told, and else not at all."""

import pytest

from pivot_remotes.backend import ObjectInfo
from pivot_remotes.errors import AccessDenied, Busy, NotFound, Truncated, Unreachable
from pivot_remotes.faulty import READS, Call, Chance, Fault, Faulty, Method, Nth, is_possible
from pivot_remotes.lagging import Lagging
from pivot_remotes.testing import BackendConformance
from tests.unit.storage import Storage

BODY = b"0123456789"


class TestStorageOfTests(BackendConformance):
    @pytest.fixture
    def backend(self):
        return Storage()


class TestWithoutFaults(BackendConformance):
    @pytest.fixture
    def backend(self):
        return Faulty(Lagging(Storage(), listings=0), lambda call: None)


@pytest.fixture
def storage():
    return Storage({"a": BODY, "f/b": b"b", "f/c": b"c"})


def call(backend, method, tmp_path):
    """What a call of `method` gives; of a file its bytes."""
    landed, source = tmp_path / "landed", tmp_path / "source"
    source.write_bytes(b"new")
    match method:
        case Method.LIST:
            return backend.list("f")
        case Method.GET:
            return backend.get("a")
        case Method.GET_RANGE:
            return backend.get_range("a", 2, 6)
        case Method.GET_FILE:
            backend.get_file("a", str(landed))
            return landed.read_bytes()
        case Method.PUT:
            return backend.put("a", b"new")
        case Method.PUT_FILE:
            return backend.put_file("a", str(source))
        case Method.DELETE:
            return backend.delete("a")
        case Method.DELETE_ALL:
            return backend.delete_all(["a", "f/b"])


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.REFUSED, Unreachable),
        (Fault.TIMED_OUT, Unreachable),
        (Fault.RESET, Unreachable),
        (Fault.INTERNAL_ERROR, Busy),
        (Fault.SLOW_DOWN, Busy),
        (Fault.TOO_MANY, Busy),
        (Fault.EXPIRED, AccessDenied),
    ],
)
def test_a_refused_call_changes_nothing_and_brings_nothing(storage, tmp_path, method, fault, error):
    before = dict(storage.objects)
    with pytest.raises(error, match="memory") as caught:
        call(Faulty(storage, Nth(0, fault)), method, tmp_path)
    assert storage.objects == before
    assert not (tmp_path / "landed").exists()
    if fault is Fault.TOO_MANY:
        assert caught.value.retry_after > 0


@pytest.mark.parametrize("method", Method)
def test_an_answer_that_is_lost_leaves_the_change(storage, tmp_path, method):
    changed = Storage(storage.objects)
    call(changed, method, tmp_path)
    (tmp_path / "landed").unlink(missing_ok=True)
    with pytest.raises(Unreachable):
        call(Faulty(storage, Nth(0, Fault.LOST_ANSWER)), method, tmp_path)
    assert storage.objects == changed.objects
    assert not (tmp_path / "landed").exists()


@pytest.mark.parametrize("method", sorted(READS))
def test_bytes_are_spoiled_without_an_error(storage, tmp_path, method):
    right = call(storage, method, tmp_path)
    found = {}
    for fault in (Fault.SHORT, Fault.LONG, Fault.FLIPPED, Fault.ERROR_BODY):
        (tmp_path / "landed").unlink(missing_ok=True)
        found[fault] = call(Faulty(storage, Nth(0, fault)), method, tmp_path)
    assert found[Fault.SHORT] == right[: len(right) // 2]
    assert found[Fault.LONG].startswith(right)
    assert len(found[Fault.LONG]) > len(right)
    flipped = [a ^ b for a, b in zip(right, found[Fault.FLIPPED], strict=True)]
    assert sorted(flipped)[-2:] == [0, 1]
    assert found[Fault.ERROR_BODY].startswith(b"<Error>")
    assert storage.objects["a"] == BODY
    (tmp_path / "landed").unlink(missing_ok=True)
    with pytest.raises(NotFound, match="a"):
        call(Faulty(storage, Nth(0, Fault.ABSENT)), method, tmp_path)


def test_a_short_listing_has_its_first_half(storage):
    assert Faulty(storage, Nth(0, Fault.SHORT)).list("f") == [ObjectInfo("f/b", 1)]


def test_a_bulk_delete_that_fails_half_way(storage):
    with pytest.raises(Busy):
        Faulty(storage, Nth(0, Fault.HALF_DELETED)).delete_all(["f/b", "f/c"])
    assert storage.objects.keys() == {"a", "f/c"}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("method", Method)
def test_a_fault_that_a_call_can_not_have_is_none(storage, tmp_path, fault, method):
    if is_possible(fault, method):
        return
    right = call(Storage(storage.objects), method, tmp_path)
    (tmp_path / "landed").unlink(missing_ok=True)
    assert call(Faulty(storage, Nth(0, fault)), method, tmp_path) == right


def test_plans_are_functions_of_the_call(storage):
    once, lasting = Nth(1, Fault.SLOW_DOWN), Nth(1, Fault.SLOW_DOWN, lasting=True)
    calls = [Call(n, Method.GET, "a") for n in range(3)]
    assert [once(c) for c in calls] == [None, Fault.SLOW_DOWN, None]
    assert [lasting(c) for c in calls] == [None, Fault.SLOW_DOWN, Fault.SLOW_DOWN]
    faulty = Faulty(storage, once)
    assert faulty.get("a") == BODY
    with pytest.raises(Busy):
        faulty.list("f")
    assert faulty.calls == (Call(0, Method.GET, "a"), Call(1, Method.LIST, "f"))


def test_chance_is_the_same_for_the_same_seed_and_near_its_share():
    calls = [Call(n, Method.GET, "a") for n in range(2000)]
    hits = [Chance(5, 0.25)(c) for c in calls]
    assert hits == [Chance(5, 0.25)(c) for c in calls]
    assert hits != [Chance(6, 0.25)(c) for c in calls]
    assert 400 < sum(hit is not None for hit in hits) < 600
    assert set(hits) == {None, *Fault}


def shown(backend):
    return [(info.key, info.size) for info in backend.list("f")]


def test_listings_lag_behind_puts_deletes_and_replacements(storage):
    lagging = Lagging(storage, listings=2)
    lagging.put("f/new", b"new")
    lagging.delete("f/b")
    lagging.put("f/c", b"longer")
    for _ in range(2):
        assert shown(lagging) == [("f/b", 1), ("f/c", 1)]
    assert shown(lagging) == [("f/c", 6), ("f/new", 3)]
    assert lagging.get("f/new") == b"new"
    with pytest.raises(NotFound):
        lagging.get("f/b")


def test_listings_of_another_folder_do_not_count(storage):
    lagging = Lagging(storage, listings=1)
    lagging.put("f/new", b"new")
    lagging.list("g")
    assert ("f/new", 3) not in shown(lagging)
    assert ("f/new", 3) in shown(lagging)


def test_reads_of_what_was_replaced_may_be_stale_for_a_while(storage):
    lagging = Lagging(storage, reads=2)
    lagging.put("a", b"the new one")
    assert lagging.get("a") == BODY
    assert lagging.get_range("a", 1, 3) == b"123"
    assert lagging.get("a") == b"the new one"
    with pytest.raises(Truncated):
        lagging.get_range("a", 9, 9)
