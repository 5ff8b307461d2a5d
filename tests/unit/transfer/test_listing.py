"""What is listed and gone when it is read is listed anew."""

import itertools

import pytest

from pivot.transfer.listing import LISTINGS, UNCHANGED, settle
from pivot_remotes.errors import NotFound


class Reader:
    """Takes a listing over unless it names what is gone."""

    def __init__(self, gone):
        self.gone, self.tried = gone, 0

    def __call__(self, listed):
        self.tried += 1
        if listed in self.gone:
            raise NotFound(f"{listed} is gone")


def test_a_listing_that_can_be_read_is_asked_for_once():
    reader = Reader(())
    assert settle(reader, 1, lambda: pytest.fail("listed anew")) == 1
    assert reader.tried == 1


def test_however_often_others_change_it_the_one_that_can_be_read_is_taken():
    reader, listings = Reader(range(LISTINGS)), itertools.count(1)
    assert settle(reader, 0, lambda: next(listings)) == LISTINGS
    assert reader.tried == LISTINGS + 1


def test_a_listing_that_stays_as_it_is_names_what_isnt_there():
    reader = Reader((7,))
    with pytest.raises(NotFound, match="7 is gone"):
        settle(reader, 7, lambda: 7)
    assert reader.tried == UNCHANGED


def test_a_listing_that_never_settles_is_given_up():
    reader, listings = Reader(itertools.count()), itertools.count(1)
    with pytest.raises(NotFound):
        settle(reader, 0, lambda: next(listings))
    assert reader.tried == LISTINGS + 1
