"""The suite's own promise: a test that reaches outside fails, whatever hides the error."""

import contextlib
import os
import socket
import sqlite3

import pygit2
import pytest
from pygit2.enums import ConfigLevel


@pytest.fixture
def private(watch):
    """A file or folder below the home that the suite was started with."""
    return lambda name: os.path.join(watch.home, name)


@pytest.fixture
def caught(watch):
    """Runs an action that must raise a leak, and forgets that it did."""

    def run(action):
        with pytest.raises(AssertionError) as error:
            action()
        assert error.type.__name__ == "LeakError"
        assert watch.caught
        watch.caught.clear()

    return run


def test_environment_says_nothing_of_this_user(isolation):
    assert os.path.expanduser("~") == str(isolation)
    assert not [name for name in os.environ if name.startswith(("AWS_A", "AWS_S", "PIVOT_"))]
    assert pygit2.settings.search_path[ConfigLevel.GLOBAL] == str(isolation)
    assert os.listdir(isolation) == []


def test_hosts_elsewhere_are_a_leak(caught):
    with socket.socket() as client:
        caught(lambda: client.connect(("192.0.2.1", 80)))
    caught(lambda: socket.getaddrinfo("example.org", 80))


def test_loopback_is_none():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def test_private_files_of_the_real_home_are_a_leak(caught, private):
    caught(lambda: os.open(private(".gitconfig"), os.O_RDONLY))
    caught(lambda: os.listdir(private(".aws")))
    caught(lambda: sqlite3.connect(private(".config/x.db")))


def test_leak_that_is_hidden_is_remembered(watch, private):
    with contextlib.suppress(Exception):
        os.open(private(".netrc"), os.O_RDONLY)
    assert len(watch.caught) == 1
    watch.caught.clear()
