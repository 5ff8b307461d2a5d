"""What runs left that were not to be recorded, in the accelerator alone."""

import pytest

from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.run.unrecorded import forget_unrecorded, keep_unrecorded, unrecorded_lock
from pivot.state import State


@pytest.fixture
def state(tmp_path):
    (tmp_path / ".pivot").mkdir()
    state = State.open(str(tmp_path / ".pivot/state.db"))
    yield state
    state.close()


def lock(name):
    declared = Declared(1, {"m:f": "a1"}, {}, None, {}, RepoPath.ROOT, (), ())
    return Lock(StageName(name), "m:f", declared, {}, {})


def test_a_lock_is_kept_until_it_is_forgotten(state):
    keep_unrecorded(state, lock("train"))
    assert unrecorded_lock(state, StageName("train")) == lock("train")
    forget_unrecorded(state, StageName("train"))
    assert unrecorded_lock(state, StageName("train")) is None


def test_each_stage_has_its_own(state):
    for name in ("train", "train2"):
        keep_unrecorded(state, lock(name))
    forget_unrecorded(state, StageName("train"))
    forget_unrecorded(state, StageName("other"))
    assert unrecorded_lock(state, StageName("train2")) == lock("train2")


def test_a_damaged_one_counts_as_none(state):
    state.record_document("unrecorded:train", b"{")
    assert unrecorded_lock(state, StageName("train")) is None
