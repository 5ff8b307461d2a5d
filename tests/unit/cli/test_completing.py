"""What a tab offers, from files alone."""

import shutil
import subprocess

import pytest

from pivot.cli import completing
from pivot.cli.main import main
from pivot.cli.verify import verify
from pivot.project.initialise import initialise


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Tracks `data/raw`, a directory, and `model.bin`; has a remote, and one with a secret."""
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    initialise(str(root), git=True)
    (root / "data/raw/sub").mkdir(parents=True)
    for name in ("data/raw/a.txt", "data/raw/b.txt", "data/raw/sub/c.txt", "model.bin"):
        (root / name).write_text(name)
    monkeypatch.chdir(root)
    assert main(["track", "data/raw", "model.bin"]) == 0
    with (root / ".pivot/config.toml").open("a") as f:
        f.write('[remotes.storage]\nurl = "s3://b"\n[remotes.secret]\nurl = "s3://k:x@b"\n')
    return root


def offered(incomplete, complete=completing.targets):
    return [item.value for item in complete(None, None, incomplete)]


FILES = [
    ("", ["data/raw", "model.bin"]),
    ("mo", ["model.bin"]),
    ("data/raw/", ["data/raw/a.txt", "data/raw/b.txt", "data/raw/sub/"]),
    ("data/raw/b", ["data/raw/b.txt"]),
    ("data/raw/sub/", ["data/raw/sub/c.txt"]),
    ("data/raw/none/", []),
    ("data/", ["data/raw"]),
    ("x", []),
]


@pytest.mark.parametrize(("incomplete", "expected"), FILES)
def test_targets_are_tracked_paths_and_what_lies_inside(project, incomplete, expected):
    assert offered(incomplete) == expected


@pytest.mark.parametrize(("incomplete", "expected"), FILES)
def test_what_the_workspace_lacks_is_offered_from_the_cache(project, incomplete, expected):
    shutil.rmtree(project / "data/raw")
    assert offered(incomplete) == expected


def test_what_nobody_has_offers_nothing(project):
    shutil.rmtree(project / "data/raw")
    shutil.rmtree(project / ".pivot/cache")
    assert offered("data/raw/") == []


def test_verify_offers_tracked_paths(project):
    (argument,) = (param for param in verify.params if param.name == "targets")
    assert [item.value for item in argument.shell_complete(None, "mo")] == ["model.bin"]


def test_remotes_are_offered_without_what_could_be_a_secret(project):
    items = {item.value: item.help for item in completing.remotes(None, None, "s")}
    assert items == {"secret": None, "storage": "s3://b"}


def test_addresses_of_remotes_are_offered_as_a_terminal_may_have_them(project, monkeypatch):
    monkeypatch.setenv("PIVOT_REMOTE_EVIL_URL", "/data\x1b[2J")
    (item,) = completing.remotes(None, None, "evil")
    assert item.help == "/data\\x1b[2J"


def test_outside_of_a_project_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert offered("") == offered("", completing.remotes) == []


def test_revisions_are_branches_and_tags_also_at_the_end_of_a_range(project):
    for command in (["commit", "-qm", "x", "--allow-empty"], ["tag", "v1"], ["branch", "dev"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", *command], check=True)
    assert offered("v", completing.revisions) == ["v1"]
    assert offered("v1..d", completing.revisions) == ["v1..dev"]
    shutil.rmtree(project / ".git")
    assert offered("v", completing.revisions) == []
