import pytest

from pivot_remotes.addresses import shown
from pivot_remotes.errors import BadAddress
from pivot_remotes.sftp.settings import SftpSettings
from pivot_remotes.sftp.wire import command


def read(url="sftp://host/folder", **options):
    return SftpSettings.read(url, options)


@pytest.mark.parametrize(
    ("url", "user", "host", "port", "folder"),
    [
        ("sftp://host/data/cache/", None, "host", None, "/data/cache"),
        ("ssh://ada@Lab:2222/data", "ada", "Lab", 2222, "/data"),
        ("sftp://ada@[::1]:22/x", "ada", "::1", 22, "/x"),
        ("sftp://[fe80::1]/x", None, "fe80::1", None, "/x"),
        ("sftp://host/~/cache", None, "host", None, "cache"),
        ("sftp://host/~", None, "host", None, ""),
        ("sftp://host", None, "host", None, "/"),
        ("sftp://host/with%20space", None, "host", None, "/with space"),
        ("sftp://host/a@b", None, "host", None, "/a@b"),
    ],
)
def test_the_url_names_user_host_port_and_folder(url, user, host, port, folder):
    settings = read(url)
    assert (settings.user, settings.host, settings.port, settings.folder) == (
        user,
        host,
        port,
        folder,
    )


@pytest.mark.parametrize(
    "url",
    [
        "sftp:///folder",
        "sftp://me:hidden@host/x",
        "sftp://hidden@me@host/x",
        "sftp://-oProxyCommand=hidden/x",
        "sftp://host;touch hidden/x",
        "sftp://$(hidden)/x",
        "sftp://`hidden`@host/x",
        "sftp://-lhidden@host/x",
        "sftp://host:0/x",
        "sftp://host:99999/x",
        "sftp://host:hidden/x",
        "sftp://host/x?hidden",
        "sftp://host/x%00hidden",
        "sftp://host/x%0ahidden",
    ],
)
def test_what_could_be_a_secret_or_a_command_is_no_address(url):
    with pytest.raises(BadAddress) as caught:
        read(url)
    if "host:hidden" not in url:  # a port, which isn't one, is repeated
        assert "hidden" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "options",
    [
        {"proxy_command": "sh"},
        {"key_file": "relative"},
        {"key_file": "/a%h"},
        {"known_hosts": '/a" -oProxyCommand="x'},
        {"known_hosts": "/a\nProxyCommand x"},
        {"read_timeout": "soon"},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(BadAddress):
        read(**options)


def test_a_host_is_never_taken_for_an_option():
    line = command("ssh", read("ssh://ada@host:22/x", key_file="/k e y", known_hosts="/h o"))
    assert line[-4:] == ["-s", "--", "host", "sftp"]
    assert '-oIdentityFile="/k e y"' in line
    assert '-oUserKnownHostsFile="/h o"' in line
    assert "-oBatchMode=yes" in line


def test_a_secret_is_never_the_answer_to_whether_a_host_is_known():
    assert "-oStrictHostKeyChecking=yes" in command("ssh", read(password="yes"))


def test_secrets_are_in_no_text_and_no_command_line():
    settings = read(password="very-secret", passphrase="also-secret")
    assert "secret" not in repr(settings) + " ".join(command("ssh", settings))


def test_users_of_ssh_are_shown_and_anything_else_is_not():
    assert shown("sftp://ada@host/x") == "sftp://ada@host/x"
    assert shown("sftp://ada:secret@host/x") == "sftp://***@host/x"
    assert shown("sftp://ada@secret@host/x") == "sftp://***@host/x"
    assert shown("https://token@host/x") == "https://***@host/x"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ssh://ada@host:2222/a/", "sftp://ada@host:2222/a"),
        ("sftp://[::1]/a", "sftp://[::1]/a"),
        ("sftp://host/~/a", "sftp://host/~/a"),
    ],
)
def test_the_address_is_one_that_can_be_used_again(url, address):
    assert read(url).address == address
    assert read(address) == read(url)
