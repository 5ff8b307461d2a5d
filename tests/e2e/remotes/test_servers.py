"""A team that shares by servers: one pushes, another clones and pulls, on real programs."""

import os

import pytest

from tests.unit.remotes.servers import rclone
from tests.unit.remotes.servers import sshd as sshd_server


@pytest.fixture
def by_ssh(sshd, tmp_path, monkeypatch):
    """A folder on an SSH server, and what opens it."""
    bin_folder = sshd_server.write_client(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return sshd.url(f"{tmp_path}/shared"), sshd.options


@pytest.fixture
def by_webdav(dav, tmp_path):
    options = {"username": rclone.USER, "password": rclone.PASSWORD}
    return f"webdav://{dav[0]}/{tmp_path.name}/shared", options


@pytest.fixture
def by_s3(strict_s3, strict_bucket):
    keys = {"access_key_id": rclone.KEY_ID, "secret_access_key": rclone.SECRET}
    return f"s3://{strict_bucket}/shared", {**keys, "endpoint_url": strict_s3}


@pytest.fixture(params=["by_ssh", "by_webdav", "by_s3"])
def shared(request):
    return request.getfixturevalue(request.param)


def add(project, url, options, **changed):
    given = [f"{name}={text}" for name, text in {**options, **changed}.items()]
    words = [word for text in given for word in ("--option", text)]
    project.pivot("remote", "add", "server", url, *words)


def test_what_one_pushes_another_pulls(shared, team, clone, held):
    add(team, *shared)
    sent = team.pivot("push", "--remote", "server", "--json").lines[0]
    assert sent["objects"] == sent["total_objects"] > 200
    again = team.pivot("push", "--remote", "server", "--json").lines[0]
    assert (again["objects"], again["total_objects"]) == (0, sent["total_objects"])
    other = clone()
    add(other, *shared)
    got = other.pivot("pull", "--remote", "server", "--json").lines[0]
    assert got["objects"] == sent["objects"]
    assert held(other) == held(team)
    assert team.git("status", "--short", "--untracked-files=no", ".") == (
        " M .pivot/config.toml\n"
    ), "the address is shared, and nothing else"
    committed = team.git("grep", "--untracked", "-l", rclone.PASSWORD, check=False)
    assert committed == "", "a secret isn't"


def test_a_wrong_secret_is_denied_and_not_repeated(by_s3, team, clone):
    for project, command in ((team, "push"), (clone(), "pull")):
        add(project, *by_s3, secret_access_key="a-wrong-guess")
        done = project.pivot(command, "--remote", "server", code=12)
        assert done.err.startswith(f"error: access to {by_s3[0]} is denied\n")
        assert "hint: " in done.err
        assert "a-wrong-guess" not in done.err


def test_a_host_that_is_not_known_is_denied_with_the_way_to_know_it(by_ssh, team, tmp_path):
    (tmp_path / "nobody").touch()
    add(team, *by_ssh, known_hosts=str(tmp_path / "nobody"))
    done = team.pivot("push", "--remote", "server", code=12)
    assert done.err.startswith("error: host 127.0.0.1 is not known on this machine")
    assert "ssh-keyscan" in done.err
    assert not (tmp_path / "shared").exists()


def test_a_wrong_password_is_denied(by_webdav, clone):
    other = clone()
    add(other, *by_webdav, password="a-wrong-guess")
    done = other.pivot("pull", "--remote", "server", code=12)
    assert "authorization was refused" in done.err
    assert "a-wrong-guess" not in done.err
