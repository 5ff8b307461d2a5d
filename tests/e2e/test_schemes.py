"""Locks of another fingerprint scheme: what is known to be unchanged isn't run again."""

import contextlib
import hashlib
import shutil
import sqlite3
from dataclasses import replace

import pytest

from pivot.code.findings import SCHEME
from pivot.lock.folder import list_locks, read_lock, write_lock
from pivot.paths import StageName
from tests.e2e.conftest import Project

UNCHANGED = {"alone": "unchanged", "double": "unchanged", "total": "unchanged"}


def age(project, scheme=SCHEME - 1, folder=".pivot/stages", **changed):
    """Make all locks as a Pivot of another scheme would have written them.

    Its hashes are of no use to this one: they are derived in a way that isn't known here.
    """
    folder = str(project.path / folder)
    for name in list_locks(folder):
        lock = read_lock(folder, name)
        code = {symbol: other_hash(hash_) for symbol, hash_ in lock.declared.code.items()}
        declared = replace(lock.declared, scheme=scheme, code=code)
        write_lock(folder, replace(lock, declared=declared, **changed))


def age_all(project):
    """The locks of the workspace and those of the runs, which are what a clone believes."""
    age(project)
    for run in (project.path / ".pivot/runs").iterdir():
        age(project, folder=f".pivot/runs/{run.name}/locks")
    for file in (project.path / ".pivot").glob("state.db*"):
        file.unlink()


def other_hash(text):
    return hashlib.sha256(f"another derivation {text}".encode()).hexdigest()


def schemes(project):
    folder = str(project.path / ".pivot/stages")
    return {read_lock(folder, name).declared.scheme for name in list_locks(folder)}


def states(project, *arguments):
    found = project.pivot("status", "--json", *arguments).lines[0]["stages"]
    return {stage["stage"]: stage["state"] for stage in found}


@pytest.fixture(scope="session")
def ran_template(told_template, tmp_path_factory):
    """Stages that ran under an older scheme; sources are committed, locks not."""
    base = tmp_path_factory.mktemp("aged")
    shutil.copytree(told_template, base / "project", symlinks=True)
    project = Project(base / "project", base)
    project.pivot("repro")
    age(project)
    return project.path


@pytest.fixture
def aged(empty, ran_template):
    """That project, without a memory of its runs: it is a copy."""
    shutil.rmtree(empty.path)
    shutil.copytree(ran_template, empty.path, symlinks=True)
    return empty


@pytest.fixture
def committed(aged):
    aged.commit_all()
    return aged


def test_an_upgrade_runs_nothing_and_writes_the_locks_anew(committed):
    before = committed.snapshot()
    assert states(committed) == UNCHANGED
    assert committed.snapshot() == before
    result = committed.pivot("repro")
    assert "Nothing to do: 3 stages unchanged" in result.out
    assert "Re-keyed 3 locks" in result.err
    assert schemes(committed) == {SCHEME}
    assert committed.ran() == []
    again = committed.pivot("repro")
    assert "Re-keyed" not in again.err
    with contextlib.closing(sqlite3.connect(committed.path / ".pivot/state.db")) as db:
        assert not db.execute("SELECT * FROM documents WHERE name LIKE 'rekeyed:%'").fetchall()
    assert committed.pivot("verify").code == 0


def test_locks_become_what_a_run_would_have_written(story):
    folder = str(story.path / ".pivot/stages")
    before = {name: read_lock(folder, name) for name in list_locks(folder)}
    age_all(story)
    story.commit_all()
    story.replace("lib/low.py", "return 2", "return 2  # as before")
    story.pivot("repro")
    assert {name: read_lock(folder, name) for name in list_locks(folder)} == before


def test_what_is_not_committed_is_known_by_the_sources_that_are_there(aged):
    assert states(aged) == UNCHANGED


def test_a_comment_written_since_is_no_change(committed):
    committed.replace("lib/low.py", "return 2", "return 2  # twice")
    assert states(committed) == UNCHANGED


def test_a_change_made_since_is_named(committed):
    committed.replace("lib/low.py", "return 2", "return 3")
    found = committed.pivot("status", "--json", "double").lines[0]["stages"]
    (reason,) = found[0]["reasons"]
    assert (reason["kind"], reason["what"]) == ("code", "lib.low:factor")
    assert committed.pivot("repro").statuses == {
        "alone": "unchanged", "double": "ran", "total": "ran"
    }  # fmt: skip


def test_sources_edited_between_run_and_commit_are_not_what_ran(aged):
    """The commit has the edit, and it has the lock: this alone proves nothing."""
    aged.replace("lib/low.py", "return 2", "return 3")
    aged.commit_all()
    assert states(aged)["double"] == "stale"
    assert "Another Pivot made the lock" in aged.pivot("status", "double", "--explain").out
    assert aged.pivot("verify", "double", code=4)


def test_sources_committed_after_their_lock_are_found(story):
    story.replace("lib/low.py", "return 2", "return 4")
    story.pivot("repro")
    age_all(story)
    story.git("add", ".pivot")
    story.git("commit", "--quiet", "-m", "Results")
    assert story.git("status", "--porcelain", "lib").strip() == "M lib/low.py"
    story.commit_all()
    story.replace("lib/low.py", "return 4", "return 2 + 2")
    found = story.pivot("status", "double", "--json").lines[0]["stages"][0]
    assert [reason["what"] for reason in found["reasons"]] == ["lib.low:factor"]


def test_what_ran_and_was_never_committed_is_run_again(story):
    """It looks as if nothing had changed: HEAD has these sources, and brought this lock."""
    story.replace("lib/low.py", "return 2", "return 4")
    story.pivot("repro")
    age_all(story)
    story.git("add", ".pivot")
    story.git("commit", "--quiet", "-m", "Results")
    story.git("checkout", "--quiet", "lib")
    assert states(story)["double"] == "stale"


def test_the_line_of_a_branch_is_followed_through_its_merge(story):
    story.commit_all()
    story.git("checkout", "--quiet", "-b", "side")
    story.replace("lib/low.py", "return 2", "return 5")
    story.pivot("repro")
    age_all(story)
    story.commit_all()
    story.git("checkout", "--quiet", "main")
    story.replace("pipeline.py", "alone\\n", "lonely\\n")
    story.commit_all()
    story.git("merge", "--quiet", "-m", "Merge", "side")
    story.replace("lib/low.py", "return 5", "return 5  # five")
    assert states(story) == {"alone": "stale", "double": "unchanged", "total": "unchanged"}


def test_a_lock_that_does_not_tell_its_sources_is_run_again(aged):
    age(aged, sources="")
    aged.commit_all()
    assert states(aged) == dict.fromkeys(UNCHANGED, "stale")


def test_a_changed_parameter_is_a_change_under_every_scheme(committed):
    committed.write("params.yaml", "total:\n  offset: 7\n")
    found = committed.pivot("status", "--json", "total").lines[0]["stages"]
    assert [reason["kind"] for reason in found[0]["reasons"]] == ["params"]


def test_outs_that_are_gone_are_restored_by_a_rekeyed_lock(committed):
    (committed.path / "alone.txt").unlink()
    assert committed.pivot("repro").statuses["alone"] == "restored"
    assert schemes(committed) == {SCHEME}


def test_an_edit_that_is_undone_after_an_upgrade_is_restored(story):
    age_all(story)
    assert story.pivot("repro").statuses == UNCHANGED
    story.replace("lib/low.py", "return 2", "return 3")
    story.pivot("repro")
    story.replace("lib/low.py", "return 3", "return 2")
    story.ran()
    assert set(story.pivot("repro").statuses.values()) <= {"unchanged", "restored"}


def test_a_newer_lock_that_holds_is_left_as_it_is(aged):
    age(aged, scheme=SCHEME + 1)
    aged.commit_all()
    before = aged.snapshot()
    result = aged.pivot("repro")
    assert result.statuses == UNCHANGED
    assert "a newer Pivot made the locks of alone, double, total" in result.err
    assert aged.snapshot() == before


def test_a_newer_lock_is_replaced_only_with_a_warning(aged):
    age(aged, scheme=SCHEME + 1)
    aged.replace("pipeline.py", "alone\\n", "lonely\\n")
    result = aged.pivot("repro", "alone")
    assert result.statuses == {"alone": "ran"}
    assert "a newer Pivot made the locks of alone " in result.err
    assert read_lock(str(aged.path / ".pivot/stages"), StageName("alone")).declared.scheme == SCHEME


def test_in_a_clone_without_its_history(committed, tmp_path):
    committed.replace("lib/low.py", "return 2", "return 2  # twice")
    committed.commit_all()
    committed.git(
        "clone", "--quiet", "--depth", "1", f"file://{committed.path}", str(tmp_path / "c")
    )
    clone = replace(committed, path=tmp_path / "c")
    found = clone.pivot("status", "--json").lines[0]["stages"]
    kinds = {stage["stage"]: {r["kind"] for r in stage["reasons"]} for stage in found}
    assert "scheme" in kinds["double"]
    assert "scheme" not in kinds["alone"]


def test_in_a_folder_of_the_repository(empty):
    inner = replace(empty, path=empty.path / "inner")
    inner.path.mkdir()
    inner.pivot("init")
    inner.write(
        "pipeline.py",
        "from pivot import stage\n\n\n@stage(outs=['o'])\ndef make():\n    "
        "open('o', 'w').write('1')\n",
    )
    inner.pivot("repro")
    age(inner)
    inner.commit_all()
    inner.replace("pipeline.py", "('1')", "(('1'))")
    assert states(inner) == {"make": "unchanged"}


def test_what_was_found_in_commits_is_remembered(committed):
    committed.replace("lib/low.py", "return 2", "return 2  # twice")
    assert states(committed) == UNCHANGED
    (committed.path / ".git").rename(committed.path / "no-git")
    assert states(committed) == UNCHANGED


def test_rekeyed_locks_are_told_in_events(committed):
    events = committed.pivot("repro", "--json").lines
    assert events[-1]["rekeyed"] == 3
    assert committed.pivot("repro", "--json").lines[-1]["rekeyed"] == 0


def test_doctor_tells_what_an_upgrade_leaves_to_do(aged):
    aged.replace("lib/low.py", "return 2", "return 3")
    aged.commit_all()
    (finding,) = locks_in_doctor(aged)
    assert finding["status"] == "warning"
    assert "3 locks are of fingerprint scheme" in finding["text"]
    assert "2 can be re-keyed, of 1 the sources that ran aren't found" in finding["text"]
    assert "pivot repro" in finding["hint"]
    aged.pivot("repro")
    assert [check["status"] for check in locks_in_doctor(aged)] == ["ok"]


def test_doctor_tells_of_locks_that_a_newer_pivot_made(aged):
    age(aged, scheme=SCHEME + 1)
    (finding,) = locks_in_doctor(aged)
    assert (finding["status"], "3 locks are of a newer Pivot" in finding["text"]) == (
        "warning",
        True,
    )


def locks_in_doctor(project):
    checks = project.pivot("doctor", "--json").lines[0]["checks"]
    return [check for check in checks if check["name"] == "locks"]
