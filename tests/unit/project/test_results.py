"""What a `pivot commit` takes."""

import shutil

import pytest

from pivot.errors import NoProjectError, PivotError
from pivot.project.results import commit_results


def shown(place):
    prefix = place.git("rev-parse", "--show-prefix").strip()
    paths = place.git("show", "--name-only", "--format=", "-z", "HEAD").split("\0")
    return sorted(path.removeprefix(prefix) for path in paths if path)


def test_locks_metrics_and_managed_files(place):
    place.result("train", scores="{}")
    place.write("notes.txt", "mine")
    done = commit_results(place.open(), None)
    assert len(done.paths) == len(shown(place)) == 6
    assert shown(place) == [
        ".gitattributes", ".gitignore", ".pivot/.gitignore", ".pivot/config.toml",
        ".pivot/stages/train.lock", "scores.json",
    ]  # fmt: skip
    assert place.git("log", "-1", "--format=%s").strip() == "Update results of train"
    assert commit_results(place.open(), None).commit is None


def test_only_what_differs_from_head_and_each_once(place):
    place.result("train", scores="{}")
    place.result("other", times="{}")
    commit_results(place.open(), None)
    place.result("train", scores='{"a": 1}')
    done = commit_results(place.open(), None)
    assert len(done.paths) == 2
    assert shown(place) == [".pivot/stages/train.lock", "scores.json"]
    assert place.git("log", "-1", "--format=%s").strip() == "Update results of train"


def test_lock_that_is_gone_leaves_git_too(place):
    place.result("train", scores="{}")
    commit_results(place.open(), None)
    (place.path / ".pivot/stages/train.lock").unlink()
    commit_results(place.open(), None)
    assert "D\t" in place.git("show", "--name-status", "--format=", "HEAD")


def test_many_stages_are_summed_up(place):
    for name in "abcde":
        place.result(name)
    commit_results(place.open(), None)
    message = place.git("log", "-1", "--format=%s").strip()
    assert message == "Update results of a, b, c and 2 more"


def test_lock_that_cannot_be_read_is_not_committed(place):
    place.result("train")
    place.write(".pivot/stages/bad.lock", "{")
    with pytest.raises(PivotError, match=r"bad\.lock can't be read"):
        commit_results(place.open(), None)


def test_without_git_there_is_nowhere_to_commit_to(place, tmp_path, monkeypatch):
    shutil.rmtree(tmp_path / "repository/.git")
    with pytest.raises(NoProjectError, match="in no Git repository") as caught:
        commit_results(place.open(), None)
    assert "git init" in caught.value.hint
