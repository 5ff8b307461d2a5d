"""Entries of what was observed: how locks hold them, and what they are compared with."""

import json

import pytest

from pivot.hashing import hash_bytes
from pivot.lock.fields import Fields
from pivot.lock.observed import Observed, present, variable_hash
from pivot.paths import PathError, RepoPath


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a\0b", "a/../b"])
def test_a_lock_can_not_lead_out_of_the_project(path):
    with pytest.raises(PathError):
        Observed.of(Fields({"code": {}, "env": {}, "files": {path: None}}))


@pytest.mark.parametrize(
    "fields",
    [
        {"code": {"m:f": None}, "env": {}, "files": {}},
        {"code": {}, "env": {"A": 1}, "files": {}},
        {"code": {}, "env": {}, "files": []},
    ],
)
def test_entries_of_other_types_are_refused(fields):
    with pytest.raises(TypeError):
        Observed.of(Fields(fields))


def test_values_of_variables_are_told_apart_without_being_kept():
    assert variable_hash(None) is None
    hashes = {variable_hash(value) for value in ("", "a", "b", "\udcff")}
    assert len(hashes) == 4
    assert all(len(h or "") == 64 for h in hashes)


def test_the_present_is_asked_once_for_all_locks():
    asked = []

    def code(names):
        asked.append(names)
        return {"m:f": "1"}

    one = Observed({"m:f": "1"}, {"A": None}, {RepoPath("x"): None})
    two = Observed({"m:f": "2", "m:g": "3"}, {"B": "4"}, {RepoPath("y"): "5"})
    id_ = hash_bytes(b"x")
    seen = present(
        [one, two, Observed()],
        code=code,
        variable={"A": "a"}.get,
        files=lambda paths: {path: {"x": id_}.get(path) for path in paths},
        folder=pytest.fail,
    )
    assert asked == [["m:f", "m:g"]]
    assert seen == {
        "code:m:f": "1", "code:m:g": None, "env:A": variable_hash("a"), "env:B": None,
        "file:x": str(id_), "file:y": None,
    }  # fmt: skip


def test_nothing_is_asked_where_nothing_was_observed():
    fail = pytest.fail
    assert present([Observed()], code=fail, variable=fail, files=fail, folder=fail) == {}


def test_at_another_time_the_names_stay_and_code_that_is_gone_does_not():
    files = {RepoPath("a"): None, RepoPath("b"): "1"}
    observed = Observed({"m:f": "1", "m:gone": "1"}, {"X": "1", "Y": None}, files)
    seen = {"code:m:f": "2", "code:m:gone": None, "env:X": None, "env:Y": "3", "file:a": "4"}
    now = {RepoPath("a"): "4", RepoPath("b"): None}
    assert observed.at(seen) == Observed({"m:f": "2"}, {"X": None, "Y": "3"}, now)


def test_packages_and_folders_are_asked_once_and_compared_by_their_names():
    asked = []

    def packages(names):
        asked.append(names)
        return {"pyyaml": "6.0"}

    one = Observed(folders={RepoPath("data"): "1"}, packages={"pyyaml": "5.4"})
    two = Observed(folders={RepoPath.ROOT: None}, packages={"pyyaml": "6.0", "gone": "1"})
    fail = pytest.fail
    digests = {RepoPath("data"): "2", RepoPath.ROOT: "3"}
    seen = present(
        [one, two], code=fail, variable=fail, files=fail, folder=digests.get, packages=packages
    )
    assert asked == [["gone", "pyyaml"]]
    assert seen == {
        "file:data/": "2", "file:./": "3", "package:pyyaml": "6.0", "package:gone": None,
    }  # fmt: skip
    assert dict(two.entries()).keys() == {"file:./", "package:pyyaml", "package:gone"}
    assert one.at(seen) == Observed(folders={RepoPath("data"): "2"}, packages={"pyyaml": "6.0"})
    assert two.at({**seen, "package:pyyaml": "any"}).packages == {}


def test_folders_stand_among_files_and_packages_only_where_there_are_some():
    none = Observed({"m:f": "1"})
    assert "packages" not in json.loads(none.as_text())
    some = Observed(
        files={RepoPath("a"): "1"},
        folders={RepoPath("data"): "2", RepoPath.ROOT: None},
        packages={"pyyaml": "6.0"},
    )
    value = json.loads(some.as_text())
    assert value["files"] == {"./": None, "a": "1", "data/": "2"}
    for observed in (none, some):
        assert Observed.of(Fields(json.loads(observed.as_text()))) == observed


@pytest.mark.parametrize("path", ["/", "../", "a//", "a/../"])
def test_folders_can_not_lead_out_of_the_project(path):
    with pytest.raises(PathError):
        Observed.of(Fields({"code": {}, "env": {}, "files": {path: None}}))
