"""Sources that are parsed while the definitions of stages are loaded."""

import pytest

from pivot.code.reading import Reading
from pivot.definition.definitions import load_definitions
from pivot.definition.discovery import Source
from pivot.errors import DefinitionError
from pivot.forking import Forked
from pivot.project.planner import Planner

COUNT = 60
PIPELINE = """
from pivot import stage
from lib import m0

@stage(outs=["out.txt"])
def make():
    m0.run()
"""


@pytest.fixture
def large(place):
    """A project whose one stage reaches many modules."""
    place.write("pipeline.py", PIPELINE)
    place.write("lib/__init__.py", "")
    for number in range(COUNT):
        below = f"from lib import m{number + 1}\n" if number + 1 < COUNT else ""
        call = f"m{number + 1}.run()" if below else "1"
        place.write(f"lib/m{number}.py", f"{below}def run():\n    return {call}\n")
    return place


@pytest.fixture(autouse=True)
def two_processes(monkeypatch):
    for module in ("pivot.code.ahead", "pivot.project.foreseeing"):
        monkeypatch.setattr(f"{module}.useful", lambda: 2)


@pytest.fixture
def parsed(monkeypatch):
    """What this process parses itself, by module."""
    found = []
    real = Reading._extract

    def extract(self, name, *rest, **named):
        found.append(name)
        return real(self, name, *rest, **named)

    monkeypatch.setattr(Reading, "_extract", extract)
    return found


def test_what_stages_reach_was_parsed_when_their_definitions_are_there(large, parsed):
    planner = Planner(large.open())
    assert f"lib.m{COUNT - 1}:run" in planner.code.record.fingerprints["pipeline:make"].code
    assert not [name for name in parsed if name.startswith("lib.")]


def test_an_analysis_without_it_finds_the_same(large, monkeypatch):
    foreseen = Planner(large.open()).code.record.fingerprints["pipeline:make"].code
    for path in (large.path / ".pivot").glob("state.db*"):
        path.unlink()
    monkeypatch.setattr("pivot.project.foreseeing.useful", lambda: 0)
    assert Planner(large.open()).code.record.fingerprints["pipeline:make"].code == foreseen


def test_definitions_that_fail_leave_no_process(large, monkeypatch):
    begun = []
    real = Forked.start
    monkeypatch.setattr(Forked, "start", lambda work: begun.append(real(work)) or begun[-1])
    large.write("pipeline.py", f"{PIPELINE}\nraise ValueError('no')\n")
    with pytest.raises(DefinitionError, match="no"):
        _ = Planner(large.open()).definitions
    assert len(begun) == 2
    assert all(one._is_over for one in begun)


def test_what_is_done_meanwhile_may_fail(large):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_definitions(str(large.path), (Source("pipeline.py"),), fail)
