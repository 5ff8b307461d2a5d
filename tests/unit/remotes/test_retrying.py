import pytest

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from pivot_remotes.faulty import Fault, Faulty, Nth
from pivot_remotes.landing import new_file
from pivot_remotes.retrying import Clock, Patience, Retrying
from tests.unit.storage import Storage

PATIENCE = Patience(attempts=4, first_wait=1, longest_wait=3, unreachable=10, busy=100)


class Faults:
    """A backend whose `get` takes the next of some outcomes, each after `cost` seconds."""

    capabilities = "the capabilities"
    address = "the address"

    def __init__(self, *outcomes, cost=0.0, chance=1.0):
        self.outcomes = list(outcomes)
        self.time = 0.0
        self.cost = cost
        self.waits = []
        self.called = []
        self.clock = Clock(now=lambda: self.time, sleep=self.sleep, chance=lambda: chance)

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.time += seconds

    def take(self, name, *args):
        self.called.append((name, *args))
        self.time += self.cost
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def __getattr__(self, name):
        return lambda *args: self.take(name, *args)


def retrying(faults, patience=PATIENCE):
    return Retrying(faults, patience, faults.clock)


def test_goes_on_until_it_works():
    faults = Faults(Unreachable("x"), Busy("x"), b"fine")
    assert retrying(faults).get("a") == b"fine"
    assert faults.waits == [1, 2]


def test_gives_up_after_the_last_attempt_with_its_error():
    errors = [Busy(str(i)) for i in range(9)]
    faults = Faults(*errors)
    with pytest.raises(Busy) as caught:
        retrying(faults).get("a")
    assert caught.value is errors[3]
    assert faults.waits == [1, 2, 3], "waits double up to the longest"


@pytest.mark.parametrize("kind", [NotFound, AccessDenied, BadAddress, Truncated, RemoteError])
def test_other_errors_are_final(kind):
    faults = Faults(kind("no"), b"fine")
    with pytest.raises(kind):
        retrying(faults).get("a")
    assert faults.waits == []


def test_waits_are_drawn_below_their_bound():
    faults = Faults(Busy("x"), Busy("x"), b"fine", chance=0.25)
    retrying(faults).get("a")
    assert faults.waits == [0.25, 0.5]


def test_waits_at_least_as_long_as_it_is_asked_to():
    faults = Faults(Busy("x", retry_after=7), b"fine")
    retrying(faults).get("a")
    assert faults.waits == [7]


def test_is_more_patient_with_who_answers_than_with_who_does_not():
    silent = Faults(*[Unreachable("x")] * 9, cost=6)
    with pytest.raises(Unreachable):
        retrying(silent).get("a")
    assert len(silent.called) == 2
    busy = Faults(*[Busy("x")] * 9, cost=6)
    with pytest.raises(Busy):
        retrying(busy).get("a")
    assert len(busy.called) == 4


@pytest.mark.parametrize(("asked", "told"), [(3600, "3600 s"), (float("inf"), "604800 s")])
def test_does_not_wait_for_what_comes_too_late_but_says_when_to_come_back(asked, told):
    """A server that asks for an hour must not hang a command without a word."""
    faults = Faults(Busy("x", retry_after=asked), b"fine")
    with pytest.raises(Busy) as caught:
        retrying(faults, Patience()).get("a")
    assert faults.waits == []
    assert told in caught.value.hint


def test_never_waits_longer_in_all_than_its_patience_however_often_it_is_asked_to():
    faults = Faults(*[Busy("x", retry_after=29) for _ in range(99)])
    with pytest.raises(Busy, match="x"):
        retrying(faults, Patience(attempts=100)).get("a")
    assert sum(faults.waits) <= Patience().busy


@pytest.mark.parametrize("asked", [-5.0, 0.0, float("nan")])
def test_a_senseless_request_to_wait_is_none(asked):
    faults = Faults(Busy("x", retry_after=asked), b"fine")
    assert retrying(faults).get("a") == b"fine"
    assert faults.waits == [1]


@pytest.mark.parametrize("attempt_cost", [0.0, 10.0, 20.0])
def test_a_wrong_endpoint_is_reported_within_half_a_minute(attempt_cost):
    faults = Faults(*[Unreachable("x")] * 9, cost=attempt_cost)
    with pytest.raises(Unreachable):
        retrying(faults, Patience()).get("a")
    assert faults.time < 30


def test_every_verb_is_repeated_with_its_arguments():
    for name, args in {
        "list": ("p",),
        "get": ("k",),
        "get_range": ("k", 1, 2),
        "get_file": ("k", "f", 9),
        "put": ("k", b"d"),
        "put_file": ("k", "f"),
        "delete": ("k",),
        "delete_all": (("k", "l"),),
    }.items():
        faults = Faults(Unreachable("x"), None)
        getattr(retrying(faults), name)(*args)
        assert faults.called == [(name, *args)] * 2


def test_keys_that_come_once_are_deleted_at_every_try():
    """An iterator would be empty at the second one, which would then succeed."""
    faults = Faults(Unreachable("x"), None)
    retrying(faults).delete_all(key for key in ("a", "b"))
    assert faults.called == [("delete_all", ("a", "b"))] * 2


def test_a_file_is_read_anew_at_every_try(tmp_path):
    """Whatever its content is by then: nothing is left of the first try."""
    source, storage = tmp_path / "source", Storage()
    source.write_bytes(b"first")

    class Changing(Faulty):
        def put_file(self, key, path):
            try:
                super().put_file(key, path)
            finally:
                source.write_bytes(b"the second")

    backend = Changing(storage, Nth(0, Fault.LOST_ANSWER))
    Retrying(backend, PATIENCE, Faults().clock).put_file("a", str(source))
    assert storage.objects == {"a": b"the second"}


def test_a_file_that_broke_off_is_received_anew(tmp_path):
    class Breaking(Storage):
        tries = 0

        def get_file(self, key, path, limit=None):
            self.tries += 1
            with new_file(path, limit) as write:
                write(b"half")
                if self.tries == 1:
                    raise Unreachable("x")
                write(b" and half")

    Retrying(Breaking(), PATIENCE, Faults().clock).get_file("a", str(tmp_path / "landed"))
    assert (tmp_path / "landed").read_bytes() == b"half and half"


def test_shows_what_is_below():
    assert retrying(Faults()).address == "the address"
    assert retrying(Faults()).capabilities == "the capabilities"
