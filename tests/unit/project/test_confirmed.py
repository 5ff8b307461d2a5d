"""Addresses that somebody here said yes to."""

import json
import os
import stat

import pytest

from pivot.project.confirmed import address_digest, confirm, confirmed_file, is_confirmed


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "state/pivot/confirmed.json")


def test_what_was_confirmed_is_known_and_nothing_else(file):
    one, two = address_digest("s3://one", None), address_digest("s3://two", None)
    assert not is_confirmed(file, one)
    confirm(file, one)
    confirm(file, one)
    assert is_confirmed(file, one)
    assert not is_confirmed(file, two)
    confirm(file, two)
    assert is_confirmed(file, one)


def test_endpoint_is_a_part_of_the_address():
    digests = {
        address_digest(url, endpoint)
        for url in ("s3://one", "s3://two")
        for endpoint in (None, "", "https://a", "https://b")
    }
    assert len(digests) == 8


def test_file_is_the_users_own_and_says_no_address(file):
    confirm(file, address_digest("s3://secret-project", None))
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(file)).st_mode) == 0o700
    with open(file) as f:
        assert "secret-project" not in f.read()


@pytest.mark.parametrize("text", ["", "{", "null", "7", '["', "\xff"])
def test_damaged_file_confirms_nothing_and_is_replaced(file, text):
    digest = address_digest("s3://one", None)
    os.makedirs(os.path.dirname(file))
    with open(file, "w", encoding="latin-1") as f:
        f.write(text)
    assert not is_confirmed(file, digest)
    confirm(file, digest)
    assert is_confirmed(file, digest)
    with open(file) as f:
        assert json.load(f) == [digest]


def test_place_follows_the_users_state_folder(isolation):
    assert confirmed_file({"XDG_STATE_HOME": "/state"}) == "/state/pivot/confirmed.json"
    home = str(isolation / ".local/state/pivot/confirmed.json")
    assert confirmed_file({}) == home
    assert confirmed_file({"XDG_STATE_HOME": ""}) == home
