"""Making a folder a project."""

import os
import subprocess

import pytest

from pivot.errors import NoProjectError, UsageError
from pivot.project.initialise import initialise


def git(path):
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)


def test_files_that_are_made(tmp_path):
    git(tmp_path)
    made = initialise(str(tmp_path), git=True)
    assert made.root == str(tmp_path)
    assert made.changed == (
        ".pivot/config.toml", ".pivot/.gitignore", ".gitignore", ".gitattributes"
    )  # fmt: skip
    assert initialise(str(tmp_path), git=True).changed == ()


def test_what_people_wrote_stays(tmp_path):
    git(tmp_path)
    (tmp_path / ".gitignore").write_text("*.log\n")
    initialise(str(tmp_path), git=True)
    assert (tmp_path / ".gitignore").read_text().startswith("*.log\n")


def test_private_files_are_ignored_by_git(tmp_path):
    git(tmp_path)
    initialise(str(tmp_path), git=True)
    for name in ("state.db", "config.local.toml", "cache/packs/x", "runs/x", "aside/x", "tmp/x"):
        place = tmp_path / ".pivot" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    shown = subprocess.run(
        ["git", "status", "--short", "--untracked-files=all"], cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert sorted(shown.stdout.split()[1::2]) == [
        ".gitattributes", ".gitignore", ".pivot/.gitignore", ".pivot/config.toml"
    ]  # fmt: skip


def test_outside_of_git_nothing_is_made(tmp_path):
    with pytest.raises(NoProjectError, match="is in no Git repository"):
        initialise(str(tmp_path), git=True)
    assert os.listdir(tmp_path) == []


def test_without_git_only_the_folder_is_made(tmp_path):
    assert initialise(str(tmp_path), git=False).changed == (".pivot/config.toml",)
    assert os.listdir(tmp_path) == [".pivot"]


@pytest.mark.parametrize("kind", ["link", "file"])
def test_folder_that_is_a_link_or_a_file_is_refused(tmp_path, kind):
    other = tmp_path / "other"
    other.mkdir()
    place = tmp_path / "project/.pivot"
    place.parent.mkdir()
    place.symlink_to(other) if kind == "link" else place.write_text("")
    with pytest.raises(UsageError, match="is a link or a file"):
        initialise(str(tmp_path / "project"), git=False)
    assert os.listdir(other) == []


def test_a_project_without_git_is_initialised_twice_like_any_other(tmp_path):
    initialise(str(tmp_path), git=False)
    again = initialise(str(tmp_path), git=True)
    assert again.changed == ()
