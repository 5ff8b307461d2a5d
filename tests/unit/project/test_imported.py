"""Versions of packages that runs imported: looked up once, as long as that holds."""

import pytest

from pivot.project.imported import Imported
from pivot.project.package_versions import Versions
from pivot.state import State


class Site:
    """Versions by name, and own code elsewhere by its place; notes what is looked up."""

    def __init__(self):
        self.installed = {"pyyaml": "6.0", "attrs": "25.1"}
        self.sources = {"/elsewhere/ours.py": "d1"}
        self.looked_up = []

    def now(self, names):
        self.looked_up.append(sorted(names))
        own = {"ours": dict(self.sources)} if "ours" in names and self.sources else {}
        versions = {name: self.installed.get(name) for name in names}
        return Versions(versions | {name: f"source {d}" for name, d in own.items()}, own)

    def behind(self, modules):
        return dict.fromkeys(modules, "1")

    def digests(self, places):
        return {place: self.sources.get(place, "gone") for place in places}


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def imported(tmp_path, site):
    """Makes what a command would have, of one database."""
    (tmp_path / ".pivot").mkdir()
    state = State.open(str(tmp_path / ".pivot/state.db"))
    yield lambda installation="one": Imported(state, installation, lambda: site)
    state.close()


def test_each_name_is_looked_up_once(imported, site):
    assert imported().now(["pyyaml"]) == {"pyyaml": "6.0"}
    assert imported().now(["attrs", "pyyaml"]) == {"attrs": "25.1", "pyyaml": "6.0"}
    assert imported().now(["attrs", "pyyaml"]) == {"attrs": "25.1", "pyyaml": "6.0"}
    assert site.looked_up == [["pyyaml"], ["attrs"]]


def test_another_installation_is_looked_at_anew(imported, site):
    imported().now(["pyyaml"])
    site.installed["pyyaml"] = "6.1"
    assert imported("other").now(["pyyaml"]) == {"pyyaml": "6.1"}


def test_own_code_elsewhere_is_looked_at_each_time(imported, site):
    imported().now(["ours"])
    assert imported().now(["ours"]) == {"ours": "source {'/elsewhere/ours.py': 'd1'}"}
    assert len(site.looked_up) == 1
    site.sources["/elsewhere/ours.py"] = "d2"
    assert imported().now(["ours"]) == {"ours": "source {'/elsewhere/ours.py': 'd2'}"}


def test_what_is_not_there_is_looked_for_each_time(imported, site):
    kept, site.sources = site.sources, {}
    assert imported().now(["ours"]) == {"ours": None}
    site.sources = kept
    assert imported().now(["ours"])["ours"] is not None


def test_nothing_is_looked_up_for_nothing(imported):
    assert imported().behind(()) == {}
    assert imported().behind(["yaml"]) == {"yaml": "1"}
