"""A store that is pushed to a folder and pulled from a web server, which can't list it."""

import pytest

from tests.unit.remotes.servers import nginx


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """The URL of a web server, and the folder that it serves."""
    with nginx.serving(tmp_path_factory.mktemp("nginx")) as place:
        yield place


@pytest.fixture
def published(team, web, tmp_path):
    """The URL of what the team pushed to a folder that a web server serves."""
    url, files = web
    team.pivot("remote", "add", "origin", str(files / tmp_path.name), "-o", "publish=true")
    team.pivot("push", "--remote", "origin")
    return f"{url}/{tmp_path.name}"


def test_what_is_pushed_to_its_folder_is_pulled_from_a_web_server(published, team, clone, held):
    other = clone()
    other.pivot("remote", "add", "public", published, "--local")
    other.pivot("pull", "--remote", "public")
    assert held(other) == held(team)


def test_a_later_push_is_seen(published, team, clone, held):
    other = clone()
    other.pivot("remote", "add", "public", published, "--local")
    other.pivot("pull", "--remote", "public")
    team.replace("a.txt", "3", "4")
    team.pivot("repro")
    team.pivot("push", "--remote", "origin")
    team.commit_all()
    other.git("pull", "--quiet")
    other.pivot("pull", "--remote", "public")
    assert held(other) == held(team)


def test_a_web_server_is_not_pushed_to(published, clone):
    other = clone()
    other.pivot("remote", "add", "public", published, "--local")
    other.pivot("pull", "--remote", "public")
    other.replace("a.txt", "3", "5")
    other.pivot("repro")
    done = other.pivot("push", "--remote", "public", code=2)
    assert "can only be read" in done.err
    assert "hint: " in done.err


def test_a_store_that_nobody_published_says_what_to_do(team, web, clone, tmp_path):
    url, files = web
    team.pivot("remote", "add", "origin", str(files / tmp_path.name))
    team.pivot("push", "--remote", "origin")
    other = clone()
    other.pivot("remote", "add", "public", f"{url}/{tmp_path.name}")
    done = other.pivot("pull", "--remote", "public", code=2)
    assert "publish" in done.err
