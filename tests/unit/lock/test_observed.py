"""Entries of what was observed: how locks hold them, and what they are compared with."""

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
        file={"x": id_}.get,
        folder=pytest.fail,
    )
    assert asked == [["m:f", "m:g"]]
    assert seen == {
        "code:m:f": "1", "code:m:g": None, "env:A": variable_hash("a"), "env:B": None,
        "file:x": str(id_), "file:y": None,
    }  # fmt: skip


def test_nothing_is_asked_where_nothing_was_observed():
    fail = pytest.fail
    assert present([Observed()], code=fail, variable=fail, file=fail, folder=fail) == {}


def test_at_another_time_the_names_stay_and_code_that_is_gone_does_not():
    files = {RepoPath("a"): None, RepoPath("b"): "1"}
    observed = Observed({"m:f": "1", "m:gone": "1"}, {"X": "1", "Y": None}, files)
    seen = {"code:m:f": "2", "code:m:gone": None, "env:X": None, "env:Y": "3", "file:a": "4"}
    now = {RepoPath("a"): "4", RepoPath("b"): None}
    assert observed.at(seen) == Observed({"m:f": "2"}, {"X": None, "Y": "3"}, now)
