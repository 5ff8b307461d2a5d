import os
import subprocess
import sys

import pytest

from pivot.errors import LockedError
from pivot.files import Stat, lock_holder, locked, lstat, open_nofollow, write_atomic

HOLD = """
import sys
from pivot.files import locked
with locked(sys.argv[1], holder="repro train"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "f"
    for data in (b"one", b""):
        write_atomic(str(path), data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("sync", [True, False])
def test_a_failure_at_any_call_leaves_the_old_file_and_no_other(tmp_path, faults, sync):
    path = tmp_path / "f"
    n = 0
    while True:
        path.write_bytes(b"old")
        with faults(n) as seen:
            try:
                write_atomic(str(path), b"new", sync=sync)
            except OSError:
                failed = True
            else:
                failed = False
        if not failed:
            break
        assert os.listdir(tmp_path) == ["f"]
        # once it has its name, only the name's durability can fail
        replaced = "replace" in seen.calls[:n]
        assert path.read_bytes() == (b"new" if replaced else b"old")
        n += 1
    assert seen.calls == ["create", "write", *["fsync"] * sync, "replace", *["fsync"] * sync]


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "target").write_bytes(b"untouched")
    (tmp_path / "f").symlink_to("target")
    write_atomic(str(tmp_path / "f"), b"new")
    assert (tmp_path / "target").read_bytes() == b"untouched"
    (tmp_path / "g").symlink_to("target")
    with pytest.raises(OSError, match="Too many levels"):
        open_nofollow(str(tmp_path / "g"))


def test_the_state_of_nothing_is_none(tmp_path):
    (tmp_path / "f").touch()
    assert lstat(str(tmp_path / "no")) is None
    assert lstat(str(tmp_path / "f" / "below")) is None
    (tmp_path / "link").symlink_to("no")
    assert lstat(str(tmp_path / "link")).is_link


def test_a_state_tells_what_it_is(tmp_path):
    (tmp_path / "f").touch(mode=0o755)
    state = Stat.of(os.stat(tmp_path / "f"))
    assert (state.is_file, state.is_dir, state.is_link, state.is_executable) == (
        True, False, False, True,
    )  # fmt: skip


@pytest.fixture
def held_elsewhere(tmp_path):
    path = str(tmp_path / "lock")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield path, process.pid
    process.communicate()


@pytest.mark.parametrize("shared", [True, False])
def test_a_lock_held_elsewhere_says_by_whom(held_elsewhere, shared):
    path, pid = held_elsewhere
    with (
        pytest.raises(LockedError, match=rf"held by process {pid} \(repro train\)"),
        locked(path, shared=shared, wait=False),
    ):
        pass
    assert lock_holder(path) == f"process {pid} (repro train)"


def test_a_lock_ends_with_its_block_and_shared_ones_go_together(tmp_path):
    path = str(tmp_path / "lock")
    for _ in range(2):
        with pytest.raises(KeyError), locked(path, wait=False):
            raise KeyError
    with locked(path, shared=True), locked(path, shared=True, wait=False):
        pass


def test_nobody_known_holds_a_lock_that_is_not_there(tmp_path):
    assert lock_holder(str(tmp_path / "no")) == "another process"
