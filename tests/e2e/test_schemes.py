"""Locks of another fingerprint scheme: what is known to be unchanged isn't run again."""

import hashlib
from dataclasses import replace

import pytest

from pivot.code.findings import SCHEME
from pivot.lock.folder import list_locks, read_lock, write_lock
from pivot.paths import StageName

UNCHANGED = {"alone": "unchanged", "double": "unchanged", "total": "unchanged"}


def age(project, scheme=SCHEME - 1, **changed):
    """Make all locks as a Pivot of another scheme would have written them.

    Its hashes are of no use to this one: they are derived in a way that isn't known here.
    """
    folder = str(project.path / ".pivot/stages")
    for name in list_locks(folder):
        lock = read_lock(folder, name)
        code = {symbol: other_hash(hash_) for symbol, hash_ in lock.declared.code.items()}
        declared = replace(lock.declared, scheme=scheme, code=code)
        write_lock(folder, replace(lock, declared=declared, **changed))


def other_hash(text):
    return hashlib.sha256(f"another derivation {text}".encode()).hexdigest()


def schemes(project):
    folder = str(project.path / ".pivot/stages")
    return {read_lock(folder, name).declared.scheme for name in list_locks(folder)}


def states(project, *arguments):
    found = project.pivot("status", "--json", *arguments).lines[0]["stages"]
    return {stage["stage"]: stage["state"] for stage in found}


@pytest.fixture
def committed(story):
    """Stages that ran under an older scheme, committed with their sources."""
    age(story)
    story.commit_all()
    story.ran()
    return story


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
    assert committed.pivot("verify").code == 0


def test_locks_become_what_a_run_would_have_written(story):
    folder = str(story.path / ".pivot/stages")
    before = {name: read_lock(folder, name) for name in list_locks(folder)}
    age(story)
    story.commit_all()
    story.replace("lib/low.py", "return 2", "return 2  # as before")
    story.pivot("repro")
    assert {name: read_lock(folder, name) for name in list_locks(folder)} == before


def test_what_is_not_committed_is_known_by_the_sources_that_are_there(story):
    age(story)
    assert states(story) == UNCHANGED


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


def test_sources_edited_between_run_and_commit_are_not_what_ran(story):
    """The commit has the edit, and it has the lock: this alone proves nothing."""
    age(story)
    story.replace("lib/low.py", "return 2", "return 3")
    story.commit_all()
    assert states(story)["double"] == "stale"
    assert "Another Pivot made the lock" in story.pivot("status", "double", "--explain").out
    assert story.pivot("verify", "double", code=4)


def test_sources_committed_after_their_lock_are_found(story):
    story.replace("lib/low.py", "return 2", "return 4")
    story.pivot("repro")
    age(story)
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
    age(story)
    story.git("add", ".pivot")
    story.git("commit", "--quiet", "-m", "Results")
    story.git("checkout", "--quiet", "lib")
    assert states(story)["double"] == "stale"


def test_the_line_of_a_branch_is_followed_through_its_merge(story):
    story.commit_all()
    story.git("checkout", "--quiet", "-b", "side")
    story.replace("lib/low.py", "return 2", "return 5")
    story.pivot("repro")
    age(story)
    story.commit_all()
    story.git("checkout", "--quiet", "main")
    story.replace("pipeline.py", "alone\\n", "lonely\\n")
    story.commit_all()
    story.git("merge", "--quiet", "-m", "Merge", "side")
    story.replace("lib/low.py", "return 5", "return 5  # five")
    assert states(story) == {"alone": "stale", "double": "unchanged", "total": "unchanged"}


def test_a_lock_that_does_not_tell_its_sources_is_run_again(story):
    age(story, sources="")
    story.commit_all()
    assert states(story) == dict.fromkeys(UNCHANGED, "stale")


def test_a_changed_parameter_is_a_change_under_every_scheme(committed):
    committed.write("params.yaml", "total:\n  offset: 7\n")
    found = committed.pivot("status", "--json", "total").lines[0]["stages"]
    assert [reason["kind"] for reason in found[0]["reasons"]] == ["params"]


def test_outs_that_are_gone_are_restored_by_a_rekeyed_lock(committed):
    (committed.path / "alone.txt").unlink()
    assert committed.pivot("repro").statuses["alone"] == "restored"
    assert schemes(committed) == {SCHEME}


def test_an_edit_that_is_undone_after_an_upgrade_is_restored(story):
    age(story)
    assert story.pivot("repro").statuses == UNCHANGED
    story.replace("lib/low.py", "return 2", "return 3")
    story.pivot("repro")
    story.replace("lib/low.py", "return 3", "return 2")
    story.ran()
    assert set(story.pivot("repro").statuses.values()) <= {"unchanged", "restored"}


def test_a_newer_lock_that_holds_is_left_as_it_is(story):
    age(story, scheme=SCHEME + 1)
    story.commit_all()
    before = story.snapshot()
    result = story.pivot("repro")
    assert result.statuses == UNCHANGED
    assert "a newer Pivot made the locks of alone, double, total" in result.err
    assert story.snapshot() == before


def test_a_newer_lock_is_replaced_only_with_a_warning(story):
    age(story, scheme=SCHEME + 1)
    story.replace("pipeline.py", "alone\\n", "lonely\\n")
    result = story.pivot("repro", "alone")
    assert result.statuses == {"alone": "ran"}
    assert "a newer Pivot made the locks of alone " in result.err
    assert read_lock(str(story.path / ".pivot/stages"), StageName("alone")).declared.scheme == SCHEME


def test_in_a_clone_without_its_history(committed, tmp_path):
    committed.replace("lib/low.py", "return 2", "return 2  # twice")
    committed.commit_all()
    committed.git("clone", "--quiet", "--depth", "1", f"file://{committed.path}", str(tmp_path / "c"))
    clone = replace(committed, path=tmp_path / "c")
    found = clone.pivot("status", "--json").lines[0]["stages"]
    kinds = {stage["stage"]: {r["kind"] for r in stage["reasons"]} for stage in found}
    assert "scheme" in kinds["double"]
    assert "scheme" not in kinds["alone"]


def test_in_a_folder_of_the_repository(empty):
    inner = replace(empty, path=empty.path / "inner")
    inner.path.mkdir()
    inner.pivot("init")
    inner.write("pipeline.py", "from pivot import stage\n\n\n@stage(outs=['o'])\ndef make():\n    "
                "open('o', 'w').write('1')\n")
    inner.pivot("repro")
    age(inner)
    inner.commit_all()
    inner.replace("pipeline.py", "('1')", "(('1'))")
    assert states(inner) == {"make": "unchanged"}


def test_what_was_found_in_commits_is_remembered(committed):
    committed.replace("lib/low.py", "return 2", "return 2  # twice")
    committed.git("config", "core.looseCompression", "0")
    assert states(committed) == UNCHANGED
    (committed.path / ".git").rename(committed.path / "no-git")
    assert states(committed) == UNCHANGED


def test_rekeyed_locks_are_told_in_events(committed):
    events = committed.pivot("repro", "--json").lines
    assert events[-1]["rekeyed"] == 3
    assert committed.pivot("repro", "--json").lines[-1]["rekeyed"] == 0
