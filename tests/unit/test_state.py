import os
import sqlite3
import time

import pytest

from pivot.clock import TICK_NS
from pivot.files import Stat
from pivot.hashing import hash_bytes
from pivot.state import Hashed, HashedDirectory, State

ID = hash_bytes(b"x")
RECIPE = hash_bytes(b"recipe")
OLD = Stat(1_700_000_000_000_000_001, 1_700_000_000_000_000_002, 5, 77, 0o100644)
KNOWN = Hashed(ID, RECIPE)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.db")


@pytest.fixture
def open_state(path):
    """Opens the database; what is still open is closed after the test."""
    opened = []

    def make(at=path):
        opened.append(State.open(at))
        return opened[-1]

    yield make
    for state in opened:
        state.close()


@pytest.fixture
def state(open_state):
    return open_state()


def fill(state):
    state.record_files([("a", OLD, KNOWN)])
    state.record_document("doc", b"value")
    state.commit()


def is_empty(state):
    return state.file("a", OLD) is None and state.document("doc") is None


def works(state):
    state.record_files([("b", OLD, KNOWN)])
    state.record_directory("d", HashedDirectory(b"digest", ID, None, 1, 1))
    state.record_action(ID, RECIPE, b"lock")
    state.forget_files(["c"])
    state.commit()
    return (
        state.file("b", OLD) == KNOWN
        and state.directory("d") is not None
        and list(state.actions(ID)) == [b"lock"]
        and [row[0] for row in state.files_below("x")] == []
    )


# -- what it remembers ----------------------------------------------------------------------


def test_what_was_recorded_is_there_in_the_next_process(open_state):
    first = open_state()
    fill(first)
    first.close()
    second = open_state()
    assert second.file("a", OLD) == KNOWN
    assert second.document("doc") == b"value"


@pytest.mark.parametrize(
    "changed",
    [
        Stat(OLD.mtime_ns + 1, OLD.ctime_ns, 5, 77, 0o100644),
        Stat(OLD.mtime_ns, OLD.ctime_ns + 1, 5, 77, 0o100644),
        Stat(OLD.mtime_ns, OLD.ctime_ns, 6, 77, 0o100644),
        Stat(OLD.mtime_ns, OLD.ctime_ns, 5, 78, 0o100644),
        Stat(OLD.mtime_ns, OLD.ctime_ns, 5, 77, 0o100755),
    ],
)
def test_any_other_state_of_a_file_is_unknown(state, changed):
    fill(state)
    assert state.file("a", changed) is None


def test_files_below_a_folder_come_in_the_order_of_their_bytes(state):
    names = ["a", "a-b", "a/b", "a/\U0001d11e", "a/\uffff", "a.txt", "a0", "b"]
    state.record_files((f"dir/{name}", OLD, KNOWN) for name in names)
    state.record_files((path, OLD, KNOWN) for path in ("dir", "dir0", "dir-", "di"))
    found = [path for path, _, _ in state.files_below("dir")]
    assert found == sorted((f"dir/{name}" for name in names), key=str.encode)


def test_more_may_be_recorded_while_files_below_are_read(state, monkeypatch):
    monkeypatch.setattr("pivot.state._READ_AT_ONCE", 2)
    state.record_files((f"d/{n}", OLD, KNOWN) for n in range(7))
    seen = []
    for path, _, _ in state.files_below("d"):
        seen.append(path)
        state.record_files([(path, OLD, Hashed(RECIPE, None))])
        state.forget_files([f"d/{len(seen) - 2}"])
    assert seen == [f"d/{n}" for n in range(7)]


def test_an_action_recorded_again_becomes_the_newest(state):
    for name in (b"one", b"two", b"one"):
        state.record_action(ID, hash_bytes(name), name)
    assert list(state.actions(ID)) == [b"one", b"two"]
    assert list(state.actions(RECIPE)) == []


# -- sources --------------------------------------------------------------------------------


def test_facts_of_a_source_are_kept_by_their_key(open_state):
    first = open_state()
    first.record_facts([(b"a", b"facts of a"), (b"b", b"facts of b")])
    first.record_facts([(b"b", b"newer facts")])
    first.close()
    second = open_state()
    assert [second.facts(key) for key in (b"a", b"b", b"c")] == [
        b"facts of a", b"newer facts", None,
    ]  # fmt: skip


def test_facts_that_nobody_asks_for_are_dropped_in_time(open_state, monkeypatch):
    real = time.time
    first = open_state()
    first.record_facts([(b"used", b"1"), (b"unused", b"2")])
    first.close()
    for days in (10, 20):
        monkeypatch.setattr("time.time", lambda days=days: real() + days * 24 * 60 * 60)
        state = open_state()
        assert state.facts(b"used") == b"1"
        state.close()
    state = open_state()
    state.record_facts([(b"new", b"3")])
    assert [state.facts(key) for key in (b"used", b"unused", b"new")] == [b"1", None, b"3"]


# -- the clock ------------------------------------------------------------------------------


def test_a_file_that_changed_within_the_tick_is_not_remembered(state):
    young = stat_of_age(TICK_NS // 2)
    state.record_files([("a", young, KNOWN)])
    assert state.file("a", young) is None
    state.clock.settle(young)
    state.record_files([("a", young, KNOWN)])
    assert state.file("a", young) == KNOWN


def test_a_file_of_the_future_is_never_remembered(state):
    future = stat_of_age(-3600 * 10**9)
    state.record_files([("a", future, KNOWN)])
    assert state.file("a", future) is None


def stat_of_age(ns):
    at = (time.time_ns() - ns) | 1
    return Stat(at, at, 5, 77, 0o100644)


def test_files_from_before_the_clock_was_set_back_are_doubted(path, open_state, monkeypatch):
    """Their times come again: an edit may then leave just the same ones."""
    recent = stat_of_age(10**9)
    first = open_state()
    first.record_files([("recent", recent, KNOWN), ("old", OLD, KNOWN)])
    first.record_directory("d", HashedDirectory(b"digest", ID, None, 1, 1))
    first.close()
    real = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() - 3600 * 10**9)
    second = open_state()
    assert second.file("recent", recent) is None
    assert second.directory("d") is None
    assert second.file("old", OLD) == KNOWN
    second.close()
    monkeypatch.undo()
    assert open_state().file("recent", recent) is None


def test_a_clock_that_goes_on_costs_nothing(path, open_state):
    recent = stat_of_age(10**9)
    first = open_state()
    first.record_files([("recent", recent, KNOWN)])
    first.record_directory("d", HashedDirectory(b"digest", ID, None, 1, 1))
    first.close()
    second = open_state()
    assert second.file("recent", recent) == KNOWN
    assert second.directory("d") is not None


# -- a database that can't be used ----------------------------------------------------------


def test_a_deleted_database_comes_back_empty(path, open_state):
    first = open_state()
    fill(first)
    first.close()
    os.unlink(path)
    second = open_state()
    assert is_empty(second)
    assert works(second)


@pytest.mark.parametrize("size", [1, 100, 5000, 100_000])
def test_a_garbage_database_is_replaced(path, open_state, size):
    with open(path, "wb") as f:
        f.write(b"\xde\xad\xbe\xef" * size)
    first = open_state()
    assert is_empty(first)
    assert works(first)
    first.close()
    assert open_state().file("b", OLD) == KNOWN


def test_an_empty_file_becomes_a_database(path, open_state):
    open(path, "wb").close()
    assert works(open_state())


@pytest.mark.parametrize("at", [0, 16, 24, 44, 100, 4096, 8192, 3 * 4096 + 50, 5 * 4096])
def test_damage_anywhere_costs_what_was_remembered_and_not_the_run(path, open_state, at):
    first = open_state()
    fill(first)
    first.record_files((f"dir/{n}", OLD, KNOWN) for n in range(500))
    first.close()
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(b"\xa5" * 3000)
    second = open_state()
    list(second.files_below("dir"))
    second.file("a", OLD)
    assert works(second) or works(second)  # what is lost on the way is lost once
    second.close()
    third = open_state()
    assert third.file("b", OLD) in (KNOWN, None)
    assert works(third) or works(third)


def test_a_database_of_another_schema_is_replaced(path, open_state):
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.execute("CREATE TABLE files (something)")
    db.commit()
    db.close()
    assert works(open_state())


def test_a_locked_database_costs_nothing_but_memory(path, open_state, monkeypatch):
    first = open_state()
    fill(first)
    first.close()
    real = sqlite3.connect
    monkeypatch.setattr("sqlite3.connect", lambda p, **kw: real(p, **{**kw, "timeout": 0.0}))
    holder = real(path)
    try:
        second = open_state()
        holder.execute("BEGIN IMMEDIATE")
        assert second.file("a", OLD) == KNOWN
        assert works(second)
    finally:
        holder.rollback()
        holder.close()
    second.close()
    assert open_state().file("a", OLD) == KNOWN


def test_a_folder_that_cannot_be_written_costs_nothing_but_memory(tmp_path, open_state):
    """Where we may write to everything, a folder that isn't there does the same."""
    assert works(open_state(str(tmp_path / "absent" / "state.db")))


def test_a_folder_in_place_of_the_database_costs_nothing_but_memory(path, open_state):
    os.mkdir(path)
    assert works(open_state())


def test_a_database_that_may_only_be_read_costs_nothing_but_memory(path, open_state, monkeypatch):
    first = open_state()
    fill(first)
    first.close()
    real = sqlite3.connect
    monkeypatch.setattr(
        "sqlite3.connect",
        lambda p, **kw: real(p if p == ":memory:" else f"file:{p}?mode=ro", uri=True, **kw),
    )
    second = open_state()
    assert works(second)


def test_documents_are_forgotten_by_how_their_names_begin(tmp_path):
    state = State.open(str(tmp_path / "state.db"))
    for name in ("kept", "old:a", "old:b%_", "older"):
        state.record_document(name, name.encode())
    state.forget_documents("old:")
    assert [state.document(name) for name in ("kept", "old:a", "old:b%_", "older")] == [
        b"kept", None, None, b"older",
    ]  # fmt: skip
    state.close()
