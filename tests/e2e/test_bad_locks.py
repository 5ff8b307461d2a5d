"""Locks that can't be believed: named, never used, and never a reason to lose anything."""

import json
import os

import pytest
from blake3 import blake3


def conflicted(data):
    first, _, rest = data.partition(b"\n")
    return first + b"\n<<<<<<< ours\n" + rest + b"=======\n" + rest + b">>>>>>> theirs\n"


BROKEN = {
    "half written": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "conflicted": conflicted,
    "edited": lambda data: data.replace(b'"cwd": "."', b'"cwd": "x"'),
    "edited check": lambda data: data.replace(b'"check": "', b'"check": "0'),
    "no JSON": lambda data: b"\x00\xff garbage",
    "other form": lambda data: json.dumps(json.loads(data)).encode(),
    "no object": lambda data: b"[]\n",
    "deep": lambda data: b"[" * 100_000,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_lock_is_named_and_counts_as_none(story, kind):
    lock = story.lock("double")
    good = lock.read_bytes()
    lock.write_bytes(BROKEN[kind](good))
    broken = lock.read_bytes()
    shown = story.pivot("status")
    warning, hint, *_ = shown.err.splitlines()
    assert warning.startswith("warning: .pivot/stages/double.lock can't be read: ")
    assert hint == (
        "hint: Take back a committed version with `git checkout HEAD -- .pivot/stages/double.lock`"
    )
    assert shown.statuses["double"] == "restorable", "history knows the run"
    assert lock.read_bytes() == broken
    assert story.pivot("repro").statuses["double"] == "restored"
    assert lock.read_bytes() == good


def test_conflict_is_called_one(story):
    lock = story.lock("double")
    lock.write_bytes(conflicted(lock.read_bytes()))
    assert "it has conflict markers" in story.pivot("status").err


def test_broken_lock_is_never_committed(story):
    story.lock("double").write_bytes(b"{")
    head = story.git("rev-parse", "HEAD")
    done = story.pivot("commit", code=1)
    assert done.err.startswith("error: .pivot/stages/double.lock can't be read\n")
    assert "hint: " in done.err
    assert story.git("rev-parse", "HEAD") == head


def newer(story):
    lock = story.lock("double")
    data = lock.read_bytes().replace(b'"format": 1', b'"format": 99', 1)
    lock.write_bytes(data)
    return data


def test_newer_lock_stops_its_stage_and_is_never_overwritten(story):
    data = newer(story)
    for change in (None, "edit"):
        if change:
            story.replace("lib/low.py", "2", "5")
        done = story.pivot("repro", code=1)
        assert done.statuses["double"] == "failed"
        assert "double.lock was written by a newer Pivot (format 99)" in done.err
        assert "hint: Upgrade with `pip install --upgrade pivot`" in done.err
        assert story.lock("double").read_bytes() == data
    story.pivot("repro", "--force", code=1)
    assert story.lock("double").read_bytes() == data


def test_lock_of_another_stage_under_this_name_is_not_believed(story):
    """A copied file is a valid lock, but not this stage's."""
    story.lock("alone").write_bytes(story.lock("total").read_bytes())
    assert story.pivot("status").statuses["alone"] != "unchanged"
    story.pivot("repro")
    assert json.loads(story.lock("alone").read_text())["stage"] == "alone"


def test_lock_that_is_a_folder_is_said(story):
    story.lock("double").unlink()
    story.lock("double").mkdir()
    done = story.pivot("repro", code=1)
    assert "double.lock" in done.err
    assert story.read("out/doubled.txt") == "6\n"


def test_lock_that_leads_out_of_the_project_is_refused(story):
    """A lock is a claim by whoever wrote it: its paths are checked like anyone's."""
    lock = story.lock("alone")
    text = lock.read_text().replace('"path": "alone.txt"', '"path": "../../escaped.txt"')
    body = text[: text.rindex('  "check"')]
    check = blake3(body.encode(), derive_key_context="pivot lock check 1").hexdigest()
    lock.write_text(f'{body}  "check": "{check}"}}\n')
    (story.path / "alone.txt").unlink()
    done = story.pivot("checkout", code=None)
    assert done.code != 0
    assert "it has the component '..'" in done.err
    assert not os.path.exists(story.path.parent.parent / "escaped.txt")
