import os

import pytest

from pivot.hashing import hash_bytes
from pivot.history import History, mark_own
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.state import State
from pivot.store.content import Content, ContentType


def a_lock(text, *, kind=OutKind.OUT, code="1"):
    out = RepoPath("out")
    declared = Declared(1, {"m:f": code}, {}, None, {}, RepoPath("."), (), (OutSpec(out, kind),))
    content = Content(ContentType.FILE, hash_bytes(text), len(text))
    return Lock(StageName("s"), "m:f", declared, {}, {out: content})


KEY = a_lock(b"").declared.static_key


@pytest.fixture
def runs(tmp_path):
    (tmp_path / "runs").mkdir()
    return str(tmp_path / "runs")


@pytest.fixture
def history(bench, runs):
    return History(bench.state, runs)


def record(runs, run, name, data, *, own=True):
    folder = os.path.join(runs, run, "locks")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)
    if own:
        mark_own(os.path.join(runs, run))


def test_actions_are_found_by_their_static_key_newest_first(history):
    one, two, other = a_lock(b"1"), a_lock(b"2"), a_lock(b"3", code="2")
    for lock in (one, two, other):
        history.add(lock, lock.encode())
    assert history.find(KEY) == (two, one)
    assert history.find(other.declared.static_key) == (other,)
    history.add(one, one.encode())
    assert history.find(KEY) == (one, two)


def test_what_is_no_function_of_its_key_is_no_action(history):
    lock = a_lock(b"1", kind=OutKind.INCREMENTAL)
    history.add(lock, lock.encode())
    assert history.find(lock.declared.static_key) == ()


def test_a_deleted_memory_is_made_again_from_the_run_records(bench, runs):
    one, two = a_lock(b"1"), a_lock(b"2")
    record(runs, "20250102", "b.lock", two.encode())
    record(runs, "20250101", "group/a.lock".replace("/", "-"), one.encode())
    assert History(bench.state, runs).find(KEY) == (two, one)


def test_damaged_records_are_passed_over(bench, runs):
    lock = a_lock(b"1")
    record(runs, "20250101", "a.lock", lock.encode())
    record(runs, "20250102", "b.lock", lock.encode()[:-10])
    with open(os.path.join(runs, "notes.txt"), "w") as f:
        f.write("?")
    assert History(bench.state, runs).find(KEY) == (lock,)


def test_records_that_came_with_a_clone_are_not_believed(bench, runs):
    """Whoever writes a repository must not be able to say what this clone ran."""
    record(runs, "20250101", "a.lock", a_lock(b"1").encode(), own=False)
    assert History(bench.state, runs).find(KEY) == ()


def test_a_project_without_runs_has_no_actions(bench, tmp_path):
    assert History(bench.state, str(tmp_path / "none")).find(KEY) == ()


def test_it_remembers_in_the_next_process(bench, runs):
    lock = a_lock(b"1")
    History(bench.state, runs).add(lock, lock.encode())
    bench.state.commit()
    again = State.open(str(bench.root / ".pivot" / "state.db"))
    try:
        assert History(again, runs).find(KEY) == (lock,)
    finally:
        again.close()
