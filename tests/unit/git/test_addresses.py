import pytest

from pivot.git.addresses import host_and_path


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
