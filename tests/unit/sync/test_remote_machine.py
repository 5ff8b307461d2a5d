"""A remote under several clients of two repositories: see `tests.unit.sync.remote_machine`."""

import os

import pytest
from hypothesis import Phase, settings

from pivot.errors import PivotError
from tests.unit.sync.remote_machine import World, quick, run
from tests.unit.sync.test_protocol import with_no_grace

pytestmark = pytest.mark.timeout(0 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 600)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with quick():
        return World(str(tmp_path_factory.mktemp("world") / "store"))


def test_nothing_that_was_promised_is_lost(world):
    run(world, max(40, settings.default.max_examples))


def test_the_machine_finds_by_itself_what_is_broken(world, monkeypatch):
    with_no_grace(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup, PivotError)):
        run(
            world,
            300,
            phases=(Phase.generate,),
            versions=("abc",),
            is_interleaved=False,
        )
