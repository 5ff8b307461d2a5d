"""The user's `ssh` as a stream of bytes to a server's SFTP subsystem.

OpenSSH's client rather than an SSH library: it honours everything in the user's configuration
(`Include`, `Match`, `ProxyJump`, certificates, hardware keys, shared connections), its checks of
host keys are the ones that the user knows, and it encrypts outside of this process.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from typing import IO, Final

from pivot_remotes.errors import Unsupported
from pivot_remotes.sftp.settings import SftpSettings

_BUFFER: Final = 1 << 20
_MESSAGES: Final = 4096
_PATIENCE: Final = 5.0

# OpenSSH asks this program for secrets; what it prints comes from the environment of `ssh`. What a
# server asks begins with its name in brackets, so it can't ask for what opens a key.
_ASKED: Final = """#!/bin/sh
case "$1" in
'Enter passphrase for '*) printf '%s\\n' "$PIVOT_SSH_PASSPHRASE" ;;
*) printf '%s\\n' "$PIVOT_SSH_PASSWORD" ;;
esac
"""


class Wire:
    """A running `ssh`. Not for several threads at once."""

    __slots__ = ("_held", "_messages", "_process", "_socket")

    def __init__(self, settings: SftpSettings) -> None:
        """Start it; whether it gets anywhere shows when something is received.

        Raises `Unsupported` where there is no `ssh`.
        """
        program = shutil.which("ssh")
        if program is None:
            raise Unsupported(
                f"{settings.address} needs OpenSSH's client", hint="Install it, so that `ssh` works"
            )
        with contextlib.ExitStack() as undo:
            scratch = undo.enter_context(tempfile.TemporaryDirectory(prefix="pivot-ssh-"))
            # A file, since a master of shared connections would hold a pipe open.
            self._messages: IO[bytes] = undo.enter_context(tempfile.TemporaryFile())
            self._socket, theirs = socket.socketpair()
            undo.enter_context(self._socket)
            with theirs:
                for end in (self._socket, theirs):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
                self._process = subprocess.Popen(
                    command(program, settings),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._messages,
                    env=_environment(settings, scratch),
                    start_new_session=True,  # Ctrl-C is for us; we end it
                )
            self._held = undo.pop_all()
        self._socket.settimeout(settings.read_timeout)

    def send(self, data: bytes) -> None:
        """Raises `OSError` (`TimeoutError` among them) where it can't be sent."""
        self._socket.sendall(data)

    def receive(self, size: int) -> bytes:
        """Up to `size` bytes, at least one; `OSError` as for `send`, `EOFError` at the end."""
        received = self._socket.recv(size)
        if not received:
            raise EOFError
        return received

    def complaint(self) -> str:
        """What `ssh` said before it ended; ends it where it goes on."""
        self._end()
        self._messages.seek(0)
        return self._messages.read(_MESSAGES).decode(errors="replace").strip()

    def close(self) -> None:
        """End `ssh`, and wait for it. Closing twice is fine."""
        self._end()
        self._held.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # reaches it though a fork of us holds a copy
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def command(program: str, settings: SftpSettings) -> list[str]:
    """The command line. Options here beat the user's configuration."""
    asks = settings.password is not None or settings.passphrase is not None
    given = {
        "BatchMode": "no" if asks else "yes",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": str(max(1, round(settings.connect_timeout))),
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "LogLevel": "ERROR",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "ServerAliveCountMax": "4",
        "ServerAliveInterval": "15",
    }
    if asks:
        # Nor may the question whether a host is known be answered by a secret.
        given |= {"NumberOfPasswordPrompts": "1", "StrictHostKeyChecking": "yes"}
    if settings.known_hosts is not None:
        given |= {"UserKnownHostsFile": f'"{settings.known_hosts}"', "GlobalKnownHostsFile": "none"}
    if settings.key_file is not None:
        given |= {"IdentityFile": f'"{settings.key_file}"', "IdentitiesOnly": "yes"}
    line = [program, *(f"-o{name}={value}" for name, value in given.items())]
    if settings.user is not None:
        line += ["-l", settings.user]
    if settings.port is not None:
        line += ["-p", str(settings.port)]
    return [*line, "-s", "--", settings.host, "sftp"]


def _environment(settings: SftpSettings, scratch: str) -> dict[str, str]:
    environment = {**os.environ, "LC_ALL": "C"}  # its messages are looked at
    if settings.password is None and settings.passphrase is None:
        return environment
    asked = os.path.join(scratch, "asked")
    with open(asked, "w", opener=lambda path, flags: os.open(path, flags, 0o700)) as file:
        file.write(_ASKED)
    return environment | {
        "PIVOT_SSH_PASSPHRASE": settings.passphrase or "",
        "PIVOT_SSH_PASSWORD": settings.password or "",
        "SSH_ASKPASS": asked,
        "SSH_ASKPASS_REQUIRE": "force",
        "DISPLAY": os.environ.get("DISPLAY", "none"),
    }
