"""Which commit has the sources that a lock was made from, and how much of it is believed."""

from dataclasses import replace

import pytest

from pivot.code.fingerprint import ProjectCode
from pivot.hashing import ObjectId
from pivot.lock.declared import Declared
from pivot.lock.folder import read_lock, write_lock
from pivot.lock.lock import Lock, Observed
from pivot.paths import RepoPath, StageName
from pivot.project.proving import Search
from pivot.project.sources import DiskSources

ROOTS = (RepoPath("."), RepoPath("src"))
PIPELINE = "from lib import scale\n\ndef train():\n    return scale(2)\n"
LIB = "FACTOR = 2\n\ndef scale(x):\n    return x * FACTOR\n\ndef spare():\n    return 1\n"
TRAIN = StageName("train")


@pytest.fixture
def sources(place):
    place.write("pipeline.py", PIPELINE)
    place.write("src/lib.py", LIB)
    return place


def run(place, *, without=(), also=(), observed=()):
    """Write a lock of another scheme, which names less or more than ours reaches."""
    code = ProjectCode(DiskSources(str(place.path)), ROOTS)
    names = {*code.fingerprint("pipeline:train").code, *also} - {*without}
    unknown = ObjectId(bytes(32)).hex()
    lock = Lock(
        TRAIN,
        "pipeline:train",
        Declared(0, dict.fromkeys(names, unknown), {}, None, {}, RepoPath.ROOT, (), ()),
        {},
        {},
        observed=Observed(code=dict.fromkeys(observed, unknown)),
        sources=code.text("pipeline:train", [*names, *observed]),
    )
    write_lock(str(place.path / ".pivot/stages"), lock)


def commit(place, *paths):
    place.git("add", "--force", "--", *(paths or ["."]))
    place.git("commit", "-qm", "work")


def proof(place):
    project = place.open()
    lock = read_lock(project.layout.locks, TRAIN)
    return Search(project, project.need_repository(), ROOTS).find(lock)


def hashes(place):
    """The fingerprint of the sources as they are."""
    return ProjectCode(DiskSources(str(place.path)), ROOTS).fingerprint("pipeline:train").code


def test_the_commit_that_brought_the_lock_tells_what_ran(sources):
    run(sources)
    before = hashes(sources)
    commit(sources)
    sources.write("src/lib.py", LIB.replace("= 2", "= 3"))
    commit(sources)
    assert proof(sources).code == before != hashes(sources)


def test_a_lock_that_is_in_no_commit_may_be_of_the_sources_of_head(sources):
    commit(sources)
    before = hashes(sources)
    run(sources)
    sources.write("src/lib.py", LIB.replace("= 2", "= 3"))
    assert proof(sources).code == before


def test_before_the_first_commit_nothing_is_known(sources):
    run(sources)
    assert proof(sources) is None


def test_a_commit_with_other_sources_tells_nothing(sources):
    run(sources)
    sources.write("src/lib.py", LIB.replace("= 2", "= 3"))
    commit(sources)
    assert proof(sources) is None


@pytest.mark.parametrize("broken", ["def", "\n"])
def test_a_commit_without_the_function_tells_nothing(sources, broken):
    run(sources)
    sources.write("pipeline.py", broken)
    commit(sources)
    assert proof(sources) is None


def test_sources_may_follow_their_lock_in_a_later_commit(sources):
    commit(sources)
    sources.write("src/lib.py", LIB.replace("= 2", "= 3"))
    run(sources)
    after = hashes(sources)
    commit(sources, ".pivot")
    commit(sources)
    sources.write("src/lib.py", LIB)
    commit(sources)
    assert proof(sources).code == after


def test_what_the_older_scheme_did_not_see_counts_if_it_stood_on_both_sides_of_the_run(sources):
    commit(sources)
    run(sources, without=["lib:FACTOR"])
    commit(sources)
    assert proof(sources).code == hashes(sources)


def test_what_it_did_not_see_counts_not_if_it_may_have_been_written_after_the_run(sources):
    commit(sources)
    run(sources, without=["lib:FACTOR"])
    sources.write("src/lib.py", LIB.replace("= 2", "= 3"))
    commit(sources)
    assert proof(sources) is None


def test_what_it_did_not_see_counts_not_in_a_first_commit(sources):
    run(sources, without=["lib:FACTOR"])
    commit(sources)
    assert proof(sources) is None


def test_what_only_the_older_scheme_reached_is_left_out(sources):
    run(sources, also=["lib:spare"])
    commit(sources)
    assert proof(sources).code == hashes(sources)


def test_what_was_seen_to_run_is_hashed_anew(sources):
    run(sources, observed=["lib:spare"])
    commit(sources)
    found = proof(sources).observed
    code = ProjectCode(DiskSources(str(sources.path)), ROOTS)
    assert found == code.hashes(["lib:spare"])
    assert None not in found.values()


def test_what_was_seen_to_run_and_was_edited_tells_that_the_commit_is_another(sources):
    run(sources, observed=["lib:spare"])
    sources.write("src/lib.py", LIB.replace("return 1", "return 2"))
    commit(sources)
    assert proof(sources) is None


def test_each_commit_is_analysed_once(sources, monkeypatch):
    run(sources)
    commit(sources)
    project = sources.open()
    lock = read_lock(project.layout.locks, TRAIN)
    write_lock(project.layout.locks, replace(lock, stage=StageName("other")))
    commit(sources)
    search = Search(project, project.need_repository(), ROOTS)
    assert search.find(lock)
    monkeypatch.setattr("pivot.project.commit_code.ProjectCode", None)
    assert search.find(lock)
