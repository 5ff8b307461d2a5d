"""`status` and `repro --dry-run` look, and touch nothing; what they foresee is what happens."""

import os
import shutil

import pytest

CHANGES = {
    "helper": lambda p: p.replace("lib/low.py", "2", "5"),
    "same bytes": lambda p: p.replace("lib/low.py", "return 2", "return 1 + 1"),
    "dep": lambda p: p.write("a.txt", "7\n"),
    "parameter": lambda p: p.write("params.yaml", "total: {offset: 3}\n"),
    "lost out": lambda p: (p.path / "out/doubled.txt").unlink(),
    "lost cache": lambda p: os.rename(p.path / ".pivot/cache", p.path.parent / "cache"),
    "lost lock": lambda p: p.lock("double").unlink(),
    "declaration": lambda p: p.replace(
        "pipeline.py", 'outs=["alone.txt"]', 'outs=["alone.txt"], deps=["a.txt"]'
    ),
    "nothing": lambda p: None,
}
COMMANDS = [
    ("status",),
    ("status", "--explain"),
    ("status", "--json"),
    ("repro", "--dry-run"),
    ("repro", "--dry-run", "--json"),
    ("repro", "--dry-run", "--force"),
    ("list",),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_foreseen_covers_what_runs(story, change):
    CHANGES[change](story)
    (foreseen,) = story.pivot("repro", "--dry-run", "--json").lines
    state = {stage["stage"]: stage["state"] for stage in foreseen["stages"]}
    ran = story.pivot("repro").statuses
    allowed = {
        "unchanged": {"unchanged"},
        "restorable": {"restored"},
        "stale": {"ran"},
        "pending": {"ran", "restored", "unchanged"},
    }
    assert all(ran[name] in allowed[state[name]] for name in state), (state, ran)
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


@pytest.mark.parametrize("change", ["helper", "lost out", "lost lock"])
def test_looking_writes_nothing_to_the_workspace(story, change):
    CHANGES[change](story)
    before = story.snapshot()
    for command in COMMANDS:
        story.pivot(*command)
    assert story.snapshot() == before


def test_looking_works_where_nothing_can_be_written(story, read_only):
    story.replace("lib/low.py", "2", "5")
    expected = story.pivot("status").out
    with read_only(story.path):
        assert story.pivot("status").out == expected


def test_status_names_the_remote_where_only_outs_are_missing(story):
    """A fresh clone: the locks hold, the data isn't here, and nothing was asked of the remote."""
    shutil.rmtree(story.path / ".pivot/cache")
    (story.path / ".pivot/state.db").unlink()
    (story.path / "alone.txt").unlink()
    hint = "hint: What is missing may be in a remote: `pivot pull` gets it\n"
    assert hint not in story.pivot("status").err
    with (story.path / ".pivot/config.local.toml").open("a") as config:
        config.write('[remotes.disk]\nurl = "../disk"\n')
    done = story.pivot("status")
    assert done.err == hint
    assert done.statuses["alone"] == "stale"
    assert not (story.path.parent / "disk").exists()
    assert story.pivot("status", "double").err == ""
