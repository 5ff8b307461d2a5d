"""The search for cycles is held off, and goes on afterwards as it did before."""

import gc

import pytest

from pivot.garbage import uncollected


@pytest.fixture(autouse=True)
def as_it_was():
    was_enabled = gc.isenabled()
    yield
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
