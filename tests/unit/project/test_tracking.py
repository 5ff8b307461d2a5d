"""Tracking, killed or failing at each changing call in turn; and two at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading

import pytest

from pivot.errors import PivotError
from pivot.paths import RepoPath
from pivot.project.initialise import initialise
from pivot.project.project import Project
from pivot.project.tracking import TrackState, track, untrack

RAW = RepoPath("raw")
BIG = os.urandom(3 << 19)


def ignore(_, __):
    pass


def run(root, *paths):
    project = Project.find(root)
    try:
        return track(project, root, paths, dry_run=False, progress=ignore)
    finally:
        project.close()


@pytest.fixture
def root(tmp_path):
    """A project with `raw` tracked, and edited since."""
    path = tmp_path / "project"
    (path / "raw/sub").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
    initialise(str(path), git=True)
    for name, data in (("a", b"1"), ("sub/b", b"2"), ("big", BIG)):
        (path / "raw" / name).write_bytes(data)
    run(str(path), "raw")
    for name, data in (("a", b"edited"), ("big", BIG + b"more")):
        (path / "raw" / name).write_bytes(data)
    return str(path)


def test_untracking_that_fails_anywhere_is_completed_by_doing_it_again(root, faults):
    saved = root + ".saved"
    shutil.copytree(root, saved, symlinks=True)
    n = 0
    while True:
        with faults(n) as seen, contextlib.suppress(OSError, PivotError):
            untrack(Project.find(root), root, ["raw"], dry_run=False)
        if n >= len(seen.calls):
            break
        if os.path.exists(os.path.join(root, "raw.pvt")):
            untrack(Project.find(root), root, ["raw"], dry_run=False)
        assert not os.path.exists(os.path.join(root, "raw.pvt")), seen.calls[n]
        with open(os.path.join(root, ".gitignore")) as file:
            assert "/raw" not in file.read().splitlines(), seen.calls[n]
        restored(root, saved)
        n += 1
    assert "unlink" in seen.calls
    assert "rename" in seen.calls or "replace" in seen.calls


def restored(root, saved):
    shutil.rmtree(root)
    shutil.copytree(saved, root, symlinks=True)


def check(root, records):
    """Whatever is said to be tracked is in the store, and is what was or what is."""
    project = Project.find(root)
    try:
        tracked = project.tracked()
        assert tracked.keys() == {RAW}
        assert project.store.holds(tracked[RAW])
        assert tracked[RAW] in records
        for entry in project.store.tree(tracked[RAW]):
            for _ in project.store.stream(entry.content):
                pass
    finally:
        project.close()


def records_of(root, path="raw"):
    """A copy of the project, and the contents that are tracked before and after an update."""
    saved = root + ".saved"
    shutil.copytree(root, saved, symlinks=True)
    before = Project.find(root).tracked()[RAW]
    run(root, path)
    after = Project.find(root).tracked()[RAW]
    assert before != after
    return saved, (before, after)


@pytest.mark.parametrize("path", ["raw", "raw/big"])
def test_killed_at_any_call_it_loses_nothing_and_running_again_completes(root, faults, path):
    saved, records = records_of(root, path)
    n = 0
    while True:
        restored(root, saved)
        pid = os.fork()
        if pid == 0:
            with faults(n, None):
                run(root, path)
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        check(root, records)
        (done,) = run(root, path)
        assert done.content == records[1]
        n += 1
    assert n >= 10


def test_a_full_disk_at_any_call_is_an_error_that_loses_nothing(root, faults):
    saved, records = records_of(root)
    n = 0
    while True:
        restored(root, saved)
        with faults(n) as found, contextlib.suppress(OSError, PivotError):
            run(root, "raw")
        check(root, records)
        if len(found.calls) <= n:
            break
        n += 1
    assert n >= 10


def test_what_died_before_git_was_told_is_told_the_next_time(root):
    with open(os.path.join(root, ".gitignore"), "w") as f:
        f.write("")
    run(root, "raw")
    (done,) = run(root, "raw")
    assert done.state is TrackState.UNCHANGED
    with open(os.path.join(root, ".gitignore")) as f:
        assert "/raw\n" in f.read()


def test_two_updates_of_parts_at_once_both_count(root):
    """Each must see what the other wrote, or one of them is undone."""
    names = [f"n{n}" for n in range(8)]
    for name in names:
        with open(os.path.join(root, "raw", name), "w") as f:
            f.write(name)
    threads = [threading.Thread(target=run, args=(root, f"{root}/raw/{name}")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    project = Project.find(root)
    entries = {str(e.path) for e in project.store.tree(project.tracked()[RAW])}
    project.close()
    assert set(names) <= entries


def test_untracking_dies_between_git_and_record_and_is_undone_by_tracking(root, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    def ignored():
        with open(os.path.join(root, ".gitignore")) as file:
            return "/raw" in file.read().splitlines()

    monkeypatch.setattr("pivot.project.tracking.remove_pvt", die)
    project = Project.find(root)
    with pytest.raises(KeyboardInterrupt):
        untrack(project, root, ["raw"], dry_run=False)
    project.close()
    assert not ignored()
    (done,) = run(root, "raw")
    assert done.state is TrackState.UPDATED
    assert ignored()
