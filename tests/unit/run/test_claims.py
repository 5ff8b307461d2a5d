"""What a stage has for itself, within a run and between runs."""

import os

import pytest

from pivot.paths import StageName
from pivot.run.claims import Busy, Claims

A, B = StageName("a"), StageName("b")


@pytest.fixture
def runs(tmp_path):
    """Two runs of a project; flocks of one process conflict like those of two."""
    folder = str(tmp_path / "tmp")
    return Claims(folder), Claims(folder)


def test_stage_is_claimed_once(runs):
    one, other = runs
    assert one.take(A, ()) is None
    assert other.take(A, ()) == Busy(f"process {os.getpid()} (stage a)", own=False)
    assert other.take(B, ()) is None
    one.release(A)
    assert other.take(A, ()) is None


def test_stage_of_the_same_run_is_told_from_another_run(runs):
    one, _ = runs
    one.take(A, ["gpu"])
    assert one.take(B, ["gpu"]) == Busy("stage a", own=True)


@pytest.mark.parametrize("group", ["gpu", "GPU", " gpu "])
def test_group_is_claimed_by_one_stage_of_any_run(runs, group):
    one, other = runs
    assert one.take(A, ["gpu"]) is None
    assert other.take(B, ["other", group]) is not None
    one.release(A)
    assert other.take(B, ["other", group]) is None


def test_star_excludes_every_other_stage(runs):
    one, other = runs
    assert one.take(A, ["*"]) is None
    assert other.take(B, ()) == Busy(f"process {os.getpid()} (stage a)", own=False)
    one.release(A)
    assert other.take(B, ()) is None
    assert one.take(A, ["*"]) == Busy("another process", own=False), "no old name is told"


def test_stages_without_a_group_go_together(runs):
    one, other = runs
    assert one.take(A, ()) is None
    assert one.take(B, ()) is None
    assert other.take(StageName("c"), ["x"]) is None


def test_failed_claim_holds_nothing(runs):
    one, other = runs
    one.take(A, ["gpu"])
    other.take(B, ["disk", "gpu"])
    assert one.take(StageName("c"), ["disk"]) is None


def test_release_of_nothing_is_fine(runs):
    runs[0].release(A)
    assert runs[1].take(A, []) is None


def test_names_that_differ_share_no_claim(runs):
    one, other = runs
    assert one.take(StageName("a/b"), ()) is None
    assert other.take(StageName("a"), ["a/b"]) is None
