import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, BadAddress, RemoteError, Unreachable, Unsupported
from tests.unit.remotes.servers.programs import free_port, missing
from tests.unit.remotes.servers.sshd import make_key


@pytest.fixture
def opened(ssh, sshd, tmp_path):
    """Opens a folder on the server; options given beat those that work."""

    def make(host="127.0.0.1", attempts="1", **options):
        own = {**sshd.options, "attempts": attempts, **options}
        own = {name: text for name, text in own.items() if text is not None}
        return connect(sshd.url(f"{tmp_path}/remote", host), own)

    return make


def test_a_host_that_is_not_known_is_refused_and_the_way_to_know_it_is_named(opened, tmp_path):
    (tmp_path / "nobody").touch()
    backend = opened(known_hosts=str(tmp_path / "nobody"))
    with pytest.raises(AccessDenied, match="is not known on this machine") as caught:
        backend.put("a", b"x")
    assert "ssh-keyscan -p" in caught.value.hint
    assert caught.value.final
    assert str(tmp_path / "nobody") in caught.value.hint
    assert not (tmp_path / "remote").exists()
    assert (tmp_path / "nobody").read_text() == "", "nobody is added unseen"


def test_without_the_option_the_known_hosts_of_the_user_count(opened, ssh, sshd):
    with pytest.raises(AccessDenied, match="not known") as caught:
        opened(known_hosts=None).list("")
    assert "Run `ssh -p" in caught.value.hint
    ssh(f"UserKnownHostsFile {sshd.base}/known_hosts\n")
    assert opened(known_hosts=None).list("") == []


def test_a_host_whose_key_has_changed_is_refused(opened, sshd, tmp_path):
    make_key(tmp_path / "other")
    file = tmp_path / "known"
    file.write_text(f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    with pytest.raises(AccessDenied, match="has changed") as caught:
        opened(known_hosts=str(file)).list("")
    assert "ssh-keygen -R" in caught.value.hint
    assert caught.value.final


def test_a_key_that_opens_nothing_is_denied_and_said_once(opened, sshd, tmp_path):
    make_key(tmp_path / "other")
    backend = opened(key_file=str(tmp_path / "other"), attempts="5")
    log = sshd.base / "log"
    before = log.stat().st_size
    with ThreadPoolExecutor(4) as pool:
        errors = [job.exception() for job in [pool.submit(backend.get, "a") for _ in range(8)]]
    assert {type(error) for error in errors} == {AccessDenied}
    assert "Permission denied" in errors[0].why
    assert "ssh-add" in errors[0].hint
    assert errors[0].final
    attempts = log.read_bytes()[before:].count(b"Connection closed by authenticating user")
    assert attempts <= 1, "the server isn't asked again by other threads"


def test_the_configuration_of_the_user_gives_host_user_port_and_key(ssh, sshd, tmp_path):
    ssh(
        f"Host lab\n HostName 127.0.0.1\n Port {sshd.port}\n User {sshd.user}\n"
        f" IdentityFile {sshd.base}/key\n HostKeyAlias [127.0.0.1]:{sshd.port}\n"
        f" UserKnownHostsFile {sshd.base}/known_hosts\n"
    )
    connect(f"ssh://lab{tmp_path}/remote", {"attempts": "1"}).put("a", b"x")
    assert (tmp_path / "remote" / "a").read_bytes() == b"x"


def test_a_proxy_of_the_users_configuration_is_used(opened, ssh, sshd, tmp_path):
    ssh(
        "Host behind\n HostName 127.0.0.1\n"
        f" ProxyCommand sh -c 'touch {tmp_path}/jumped; exec {shutil.which('ssh')} -W %h:%p -q"
        f" -p {sshd.port} -i {sshd.base}/key -oUserKnownHostsFile={sshd.base}/known_hosts"
        f" {sshd.user}@127.0.0.1'\n"
        f" HostKeyAlias [127.0.0.1]:{sshd.port}\n"
    )
    assert opened("behind").list("") == []
    assert (tmp_path / "jumped").exists()


def test_an_agent_opens(opened, ssh, sshd, monkeypatch, tmp_path):
    socket = str(tmp_path / "agent")
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as agent:
        try:
            deadline = time.monotonic() + 20
            while not os.path.exists(socket):
                assert time.monotonic() < deadline
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            subprocess.run(["ssh-add", "-q", sshd.base / "key"], check=True)
            ssh("IdentityFile none\n")
            assert opened(key_file=None).list("") == []
        finally:
            agent.terminate()


def test_the_passphrase_of_a_key_is_given_when_it_is_asked_for(opened, sshd, tmp_path):
    key = tmp_path / "locked"
    make_key(key, "a pass 'phrase'")
    with (sshd.base / "authorized_keys").open("a") as file:
        file.write(key.with_suffix(".pub").read_text())
    assert opened(key_file=str(key), passphrase="a pass 'phrase'").list("") == []
    for wrong in ("other", None):
        with pytest.raises(AccessDenied):
            opened(key_file=str(key), passphrase=wrong).list("")


def test_no_server_can_ask_for_the_passphrase_of_a_key(opened, tmp_path):
    (tmp_path / "bin" / "ssh").write_text(
        '#!/bin/sh\n$SSH_ASKPASS "(ada@host) The passphrase of your key: " >&2\nexit 255\n'
    )
    with pytest.raises(Unreachable) as caught:
        opened(password="open sesame", passphrase="a secret").list("")
    assert caught.value.why == "open sesame"


def test_a_password_is_given_when_it_is_asked_for(opened, tmp_path):
    """By an `ssh` that asks as OpenSSH does: who runs these tests may have no password."""
    server = shutil.which("sftp-server", path="/usr/lib/openssh:/usr/libexec:/usr/lib/ssh")
    if server is None:
        missing("sftp-server is not installed")
    (tmp_path / "bin" / "ssh").write_text(
        f'#!/bin/sh\n[ "$($SSH_ASKPASS "ada@host\'s password: ")" = \'open sesame\' ] &&'
        f" exec {server}\necho 'ada@host: Permission denied (password).' >&2\nexit 255\n"
    )
    assert opened(password="open sesame").list("") == []
    with pytest.raises(AccessDenied):
        opened(password="shut").list("")


def test_what_is_no_small_file_is_not_held_in_memory(opened, monkeypatch):
    backend = opened()
    backend.put("a", b"12345")
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 5)
    assert backend.get("a") == b"12345"
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 4)
    with pytest.raises(RemoteError, match=r"a in sftp://.* is larger than any small file"):
        backend.get("a")
    assert backend.get_range("a", 0, 5) == b"12345", "the connection is as good as before"


def test_a_connection_that_is_lost_is_replaced(opened, sshd):
    backend = opened(attempts="3")
    backend.put("a", b"x")
    lost = sshd.connections()
    assert lost
    for pid in lost:
        os.kill(pid, signal.SIGKILL)
    assert backend.get("a") == b"x"


def test_a_connection_that_is_lost_in_the_middle_is_unreachable_and_leaves_nothing(
    opened, sshd, tmp_path
):
    backend = opened()
    backend.put("a", b"x")
    os.mkfifo(tmp_path / "slow")
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(backend.put_file, "b", str(tmp_path / "slow"))
        with open(tmp_path / "slow", "wb") as slow:
            slow.write(bytes(1 << 20))
            slow.flush()
            for pid in sshd.connections():
                os.kill(pid, signal.SIGKILL)
            try:
                while not job.done():
                    slow.write(bytes(1 << 20))
            except BrokenPipeError:
                pass
        with pytest.raises(Unreachable):
            job.result()
    assert [info.key for info in backend.list("")] == ["a"]


def test_nobody_listens(ssh, sshd):
    options = {**sshd.options, "attempts": "1"}
    backend = connect(f"sftp://127.0.0.1:{free_port()}/x", options)
    with pytest.raises(Unreachable, match="can't be reached") as caught:
        backend.list("")
    assert "Connection refused" in caught.value.why


def test_a_server_that_says_nothing_is_given_up(opened, tmp_path):
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\nexec cat >/dev/null\n")
    started = time.monotonic()
    with pytest.raises(Unreachable, match="can't be reached") as caught:
        opened(read_timeout="0.2").list("")
    assert "doesn't answer" in caught.value.why
    assert time.monotonic() - started < 5


def test_a_login_that_prints_is_explained(opened, tmp_path):
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho Welcome to the lab\nexec cat\n")
    with pytest.raises(RemoteError, match="doesn't answer as an SFTP server") as caught:
        opened().list("")
    assert "printed at login" in caught.value.hint


def test_without_a_client_it_is_said_what_to_install(opened, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="OpenSSH"):
        opened().list("")


def test_no_client_is_left_when_the_backend_is(opened, sshd):
    others = set(sshd.connections())
    backend = opened()
    backend.put("a", b"x")
    own = set(sshd.connections()) - others
    assert own
    del backend
    deadline = time.monotonic() + 60
    while own & set(sshd.connections()):
        assert time.monotonic() < deadline, "the connection is closed"


def test_a_file_in_the_way_of_a_folder_is_a_bad_address(opened, tmp_path):
    (tmp_path / "remote").touch()
    with pytest.raises(BadAddress, match="a file stands"):
        opened().put("a", b"x")


def test_what_others_left_is_not_listed_and_links_are_not_followed(opened, tmp_path):
    backend = opened()
    backend.put("a/b", b"x")
    (tmp_path / "remote" / ".pivot-tmp-0").touch()
    (tmp_path / "remote" / "not a key").touch()
    (tmp_path / "remote" / "loop").symlink_to(tmp_path / "remote")
    assert [info.key for info in backend.list("")] == ["a/b"]


def test_many_folders_are_listed(opened, tmp_path):
    keys = [f"packs/{number:03}/x/y" for number in range(150)]
    for key in keys:
        (tmp_path / "remote" / key).parent.mkdir(parents=True)
        (tmp_path / "remote" / key).write_bytes(b"12")
    found = opened().list("packs")
    assert [info.key for info in found] == keys
    assert {info.size for info in found} == {2}


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_is_closed_denies_access(opened, tmp_path):
    (tmp_path / "remote").mkdir(mode=0o500)
    with pytest.raises(AccessDenied):
        opened().put("a", b"x")
