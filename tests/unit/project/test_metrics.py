"""The metrics of the workspace and of commits."""

import pytest

from pivot.errors import MissingDataError, PivotError, UsageError
from pivot.project.metrics import commit_metrics, workspace_metrics


@pytest.fixture
def committed(place):
    place.result("train", scores='{"loss": 0.5}', times='{"s": 3}')
    place.git("add", "--all")
    place.git("commit", "--quiet", "-m", "one")
    place.result("train", scores='{"loss": 0.25}', times='{"s": 3}')
    return place


def test_workspace_and_commit_differ(committed):
    project = committed.open()
    assert workspace_metrics(project, ()) == {"scores.json": {"loss": 0.25}, "times.json": {"s": 3}}
    assert commit_metrics(project, "HEAD", ()) == {
        "scores.json": {"loss": 0.5}, "times.json": {"s": 3}
    }  # fmt: skip


def test_selected_files_only(committed):
    project = committed.open()
    assert workspace_metrics(project, ["times.json"]) == {"times.json": {"s": 3}}
    assert commit_metrics(project, "HEAD", ["times.json"]) == {"times.json": {"s": 3}}


def test_file_that_is_gone_is_left_out(committed):
    (committed.path / "times.json").unlink()
    assert workspace_metrics(committed.open(), ()).keys() == {"scores.json"}


def test_metric_that_git_lacks_comes_from_the_cache_or_is_missed(committed):
    committed.git("rm", "-q", "--cached", "times.json")
    committed.git("commit", "--quiet", "-m", "two")
    project = committed.open()
    with pytest.raises(MissingDataError, match="neither in Git nor in the cache") as caught:
        commit_metrics(project, "HEAD", ())
    assert "pivot fetch" in caught.value.hint
    with project.store.writer() as writer:
        project.workspace.store("times.json", writer)
    assert commit_metrics(project, "HEAD", ())["times.json"] == {"s": 3}


def test_revision_that_is_none_is_said(committed):
    with pytest.raises(PivotError) as caught:
        commit_metrics(committed.open(), "nope", ())
    assert caught.value.hint


def test_target_that_is_no_metric_is_named_with_the_nearest(committed):
    with pytest.raises(UsageError, match=r"'score\.json' is no metric") as caught:
        workspace_metrics(committed.open(), ["score.json"])
    assert caught.value.hint == "Did you mean scores.json?"


def test_before_the_first_commit_there_is_nothing_to_compare_with(place):
    place.result("train", scores='{"loss": 0.5}', times='{"s": 3}')
    with pytest.raises(UsageError, match="no commit to compare with yet") as caught:
        commit_metrics(place.open(), "HEAD", ())
    assert caught.value.hint == "Make one with `pivot commit`"
