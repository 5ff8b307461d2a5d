"""OpenSSH's server, run as whoever runs the tests, and a client that reads no file of theirs."""

import os
import pwd
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.unit.remotes.servers.programs import free_port, program, running

CONFIGURATION = """
ListenAddress 127.0.0.1:{port}
HostKey {base}/host_key
AuthorizedKeysFile {base}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server.

    Attributes:
        base: the folder with its keys; `key` opens it to `user`, `known_hosts` names it.
        pid: of the process that listens.
    """

    base: Path
    port: int
    pid: int

    @property
    def user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name

    @property
    def options(self) -> dict[str, str]:
        return {
            "key_file": str(self.base / "key"),
            "known_hosts": str(self.base / "known_hosts"),
            "connect_timeout": "5",
            "read_timeout": "20",
        }

    def url(self, folder: str, host: str = "127.0.0.1") -> str:
        return f"sftp://{self.user}@{host}:{self.port}{folder}"

    def connections(self) -> list[int]:
        """The processes of the server that serve a connection."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True
        )
        return [int(pid) for pid in listed.stdout.split()]


@contextmanager
def serving(base: Path) -> Iterator[Sshd]:
    """Run a server whose files are in `base`."""
    sshd = program("sshd")
    program("ssh")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where it wants to be locked up
    for name in ("host_key", "key"):
        make_key(base / name)
    (base / "authorized_keys").write_bytes((base / "key.pub").read_bytes())
    port = free_port()
    (base / "known_hosts").write_text(f"[127.0.0.1]:{port} {(base / 'host_key.pub').read_text()}")
    (base / "sshd_config").write_text(CONFIGURATION.format(port=port, base=base))
    command = [sshd, "-D", "-e", "-f", str(base / "sshd_config")]
    with running(command, port, base / "log") as server:
        yield Sshd(base, port, server.pid)


def make_key(path: Path, passphrase: str = "") -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def write_client(folder: Path, configuration: str = "") -> Path:
    """A folder for PATH with an `ssh` that reads this configuration and no other.

    OpenSSH finds its user's files by the user database and not by HOME, so a test can't move them.
    """
    folder.mkdir(exist_ok=True)
    config = folder / "config"
    config.write_text(configuration)
    ssh = folder / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {program("ssh")} -F {shlex.quote(str(config))} "$@"\n')
    ssh.chmod(0o755)
    return folder
