"""The search for cycles is held off, and goes on afterwards as it did before."""

import gc

import pytest

from pivot.garbage import uncollected


@pytest.fixture(autouse=True)
def as_it_was():
    was_enabled = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if was_enabled else gc.disable)()


def test_no_cycles_are_searched_for_meanwhile():
    gc.enable()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error():
    gc.enable()
    with pytest.raises(ValueError, match="made up"), uncollected():
        raise ValueError("made up")
    assert gc.isenabled()


def test_who_held_it_off_already_finds_it_so():
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_later_searches_leave_out_what_was_made():
    gc.enable()
    with uncollected():
        made = [[] for _ in range(100)]
    assert not any(each is made for each in gc.get_objects())
    assert made is not None
