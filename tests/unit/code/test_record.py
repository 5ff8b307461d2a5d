"""The kept analysis: used again only while every file and folder is as it was."""

import json
from dataclasses import replace

import pytest

from pivot.code.findings import FileRead, Fingerprint, Kind, Location, Opaque
from pivot.code.record import CodeRecord, decode, encode
from pivot.hashing import hash_bytes
from pivot.lock.code import CodeHashes
from pivot.paths import RepoPath

HERE, LIB, GONE = RepoPath("pipeline.py"), RepoPath("lib.py"), RepoPath("lib/__init__.py")
ID = hash_bytes(b"source")


@pytest.fixture
def record():
    fingerprint = Fingerprint(
        root="pipeline:train",
        code={"lib:f": "a1", "pipeline:train": "b2"},
        locations={"lib:f": Location(LIB, 3), "pipeline:train": Location(HERE, 7)},
        kinds={"lib:f": Kind("func"), "pipeline:train": Kind("func")},
        modules=frozenset({"numpy", "pandas"}),
        opaque=(Opaque("getattr", LIB, 9),),
        via={"lib:f": "pipeline:train"},
        runs=frozenset({"lib", "pipeline"}),
        reads={"lib:f": (FileRead("a.json", "c3"), FileRead("sql/", "sql/b.sql"))},
    )
    return CodeRecord(
        fingerprints={"pipeline:train": fingerprint},
        packages={"pipeline:train": {"numpy": "2.0"}},
        files={HERE: ID, LIB: ID, GONE: None},
        folders={RepoPath("lib"): False},
        roots=(RepoPath.ROOT,),
        installation="python 3.13",
        outside={"/shared/lib": "d1"},
        listings={RepoPath("sql"): ("a.sql",)},
    )


def test_record_survives_being_kept(record):
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"{}", b'{"format":1}', b"\xff"], ids=repr
)
def test_what_is_no_record_is_none(data):
    assert decode(data) is None


@pytest.mark.parametrize("field", ["format", "scheme"])
def test_record_of_another_version_is_none(record, field):
    head, entries = encode(record).split(b"\n", 1)
    value = json.loads(head)
    value[field] += 1
    assert decode(json.dumps(value).encode() + b"\n" + entries) is None


def holds(record, files=None, folders=(), outside="d1", names=("a.sql",)):
    now = {HERE: ID, LIB: ID} if files is None else files
    return record.holds(now.get, lambda path: path in folders, lambda _: names, lambda _: outside)


def test_record_holds_while_nothing_changed(record):
    assert holds(record)


def test_changed_gone_or_new_file_ends_it(record):
    assert not holds(record, {HERE: ID, LIB: hash_bytes(b"other")})
    assert not holds(record, {HERE: ID})
    assert not holds(record, {HERE: ID, LIB: ID, GONE: ID})


def test_new_folder_ends_it(record):
    assert not holds(record, folders=[RepoPath("lib")])


def test_file_that_appears_in_a_listed_folder_ends_it(record):
    assert not holds(record, names=["a.sql", "b.sql"])
    assert not holds(record, names=[])


def test_changed_code_outside_ends_it(record):
    assert not holds(record, outside="d2")


def test_record_of_a_real_analysis_survives(project):
    code = project("def train():\n    return helper()\n\ndef helper(): ...\n")
    made = CodeRecord(
        {"pipeline:train": code.fingerprint("pipeline:train")},
        {"pipeline:train": {}}, dict(code.evidence), dict(code.folders), (RepoPath.ROOT,), "x", {},
    )  # fmt: skip
    again = decode(encode(made))
    assert again == made
    assert again.fingerprints["pipeline:train"].code.keys() == {"pipeline:train", "pipeline:helper"}


def test_stages_that_reach_the_same_code_cost_little_more(project):
    helpers = "".join(f"def helper{n}(): return {n}\n" for n in range(50))
    calls = ", ".join(f"helper{n}()" for n in range(50))
    stages = "".join(f"def stage{n}(): return {calls}\n" for n in range(20))
    code = project(helpers + stages)

    def size(count):
        found = {f"pipeline:stage{n}": code.fingerprint(f"pipeline:stage{n}") for n in range(count)}
        packages = {symbol: {"numpy": "2.0"} for symbol in found}
        return len(encode(CodeRecord(found, packages, {}, {}, (), "x", {})))

    assert size(20) < 4 * size(1)


def test_hashes_that_somebody_asked_for_are_kept(record):
    asked = replace(record, asked={"lib:g": "c3", "lib:gone": None})
    assert decode(encode(asked)) == asked


def test_code_is_compared_without_reading_entries(record):
    head, *tables = encode(record).split(b"\n")
    code = (
        decode(b"\n".join([head, *(b"unread" for _ in tables)])).fingerprints["pipeline:train"].code
    )
    assert code == CodeHashes.of({"lib:f": "a1", "pipeline:train": "b2"})
    assert code != CodeHashes.of({"lib:f": "a1", "pipeline:train": "b3"})


def test_a_fingerprint_that_was_not_looked_into_keeps_its_entries(record):
    again = replace(decode(encode(record)), asked={"lib:g": None})
    before = decode(encode(record))
    kept = replace(before, fingerprints=dict(before.fingerprints), asked={"lib:g": None})
    assert decode(encode(kept, before)) == again
