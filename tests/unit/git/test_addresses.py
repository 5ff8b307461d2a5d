import os
import subprocess

import pytest

from pivot.git.addresses import ask_git, host_and_path
from pivot.git.clone import clone_of
from pivot.git.repository import Repository


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet")
    return path


ADDRESSES = {
    "origin": "git@github.com:ada/wine.git",
    "spaced": "/srv/with space (fetch)/x",
    "short": "hub:ada/wine",
}


def test_git_and_libgit2_tell_the_same(repository):
    git(repository, "config", "url.https://github.com/.insteadOf", "hub:")
    for name, url in ADDRESSES.items():
        git(repository, "remote", "add", name, url)
    git(repository, "remote", "set-url", "--push", "origin", "elsewhere:x")
    git(repository, "config", "remote.origin.promisor", "true")
    git(repository, "config", "remote.origin.partialclonefilter", "blob:none")
    (repository / "inner").mkdir()
    told = ask_git(str(repository / "inner"), os.environ)
    assert told == clone_of(Repository.discover(str(repository / "inner")))
    assert told.addresses == {**ADDRESSES, "short": "https://github.com/ada/wine"}


def test_a_linked_work_tree_is_the_same_repository(repository, tmp_path):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git(repository, *who, "commit", "--quiet", "--allow-empty", "--message", "one")
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    told = ask_git(str(tmp_path / "linked"), os.environ)
    assert told == clone_of(Repository.discover(str(tmp_path / "linked")))
    assert told.common == os.path.realpath(repository / ".git")


def test_git_is_asked_about_the_folder_whatever_a_hook_was_told(repository, tmp_path):
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "--quiet")
    environ = {**os.environ, "GIT_DIR": str(tmp_path / "other" / ".git")}
    assert ask_git(str(repository), environ).workdir == os.path.realpath(repository)


def test_nothing_is_told_without_a_repository_or_without_git(repository, tmp_path):
    environ = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    assert ask_git(str(tmp_path), environ) is None
    assert ask_git(str(repository), {**environ, "PATH": ""}) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/ada/wine.git",
        "https://github.com/ada/wine",
        "https://github.com/ada/wine/",
        "https://token:secret@GitHub.com/ada/wine.git",
        "https://token:se@cret@github.com/ada/wine.git",
        "https://token:se/cret@github.com/ada/wine.git",
        "https://github.com/ada/wine.git?token=secret",
        "https://x-access-token@github.com:443/ada/wine.git",
        "ssh://git@github.com:22/ada/wine.git",
        "git@github.com:ada/wine.git",
        "github.com:ada/wine",
        "git@github.com:/ada/wine.git",
    ],
)
def test_one_repository_has_one_name(address):
    assert host_and_path(address) == "github.com/ada/wine"


@pytest.mark.parametrize("address", ["/srv/git/wine.git", "../wine", "file:///srv/git/wine.git"])
def test_a_folder_has_no_host(address):
    assert host_and_path(address) is None


def test_a_path_may_hold_what_looks_like_a_user():
    assert host_and_path("https://host:443/@team/wine@2.git") == "host/@team/wine@2"


def test_ipv6_hosts_keep_their_brackets():
    assert host_and_path("ssh://git@[::1]:22/wine.git") == "[::1]/wine"
