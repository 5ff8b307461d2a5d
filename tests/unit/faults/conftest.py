"""A team around one remote, on disks that need not be waited for."""

import os

import pytest

from tests.unit.team import Team


@pytest.fixture(autouse=True)
def unsynced(monkeypatch):
    """What is killed here are processes, which what the system holds for the disk survives."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)
