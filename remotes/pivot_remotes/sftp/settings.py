"""Where a folder on an SSH server is and how to get in.

What isn't said here is OpenSSH's: its client reads the user's `~/.ssh/config`, agent, keys and
known hosts.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote

from pivot_remotes import options as option
from pivot_remotes.addresses import split
from pivot_remotes.errors import BadAddress

SECRETS: Final = frozenset({"passphrase", "password"})
HARMLESS: Final = frozenset({"connect_timeout", "read_timeout"})
OPTIONS: Final = SECRETS | HARMLESS | {"key_file", "known_hosts"}

# What a user's `ProxyCommand` may put into a shell line as %h or %r, so no more than this.
# Source: https://nvd.nist.gov/vuln/detail/CVE-2023-51385
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,31}")
_FORM: Final = "sftp://user@host:port/folder"


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """A folder on a server, and the ways to reach it.

    Attributes:
        host: a name, an alias of the user's `~/.ssh/config`, or an address (IPv6 without
            brackets).
        user: None for what OpenSSH takes.
        port: None for what OpenSSH takes.
        folder: absolute, or relative to the user's home; empty for the home itself.
        key_file: a private key to use instead of those that OpenSSH would try.
        known_hosts: a file to use instead of the user's `~/.ssh/known_hosts`.
        password: of the user.
        passphrase: of the key.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer.
    """

    host: str
    user: str | None
    port: int | None
    folder: str
    key_file: str | None
    known_hosts: str | None
    password: str | None = field(repr=False)
    passphrase: str | None = field(repr=False)
    connect_timeout: float
    read_timeout: float

    @property
    def place(self) -> str:
        """User, host and port as `ssh://` URLs have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"{user}{host}" + (f":{self.port}" if self.port else "")

    @property
    def address(self) -> str:
        folder = self.folder if self.folder.startswith("/") else f"/~/{self.folder}"
        return f"sftp://{self.place}{folder}".rstrip("/")

    @classmethod
    def read(cls, url: str, options: Mapping[str, str]) -> Self:
        """Settings of `sftp://user@host:port/folder`, or the same with `ssh://`.

        A folder `/~/name` is below the user's home. Raises `BadAddress` where they can't be used.
        """
        option.check_known(options, OPTIONS, "sftp")
        parts = split(url, form=_FORM, user=True)
        user, at, place = parts.netloc.rpartition("@")
        host, port = _host_and_port(place)
        if at and not _USER.fullmatch(user):
            raise BadAddress("this user name can't be used", hint=f"Write it as `{_FORM}`")
        return cls(
            host=host.strip("[]"),
            user=user or None,
            port=port,
            folder=_folder(unquote(parts.path)),
            key_file=_path(options, "key_file"),
            known_hosts=_path(options, "known_hosts"),
            password=options.get("password"),
            passphrase=options.get("passphrase"),
            connect_timeout=option.seconds(options, "connect_timeout", 10),
            read_timeout=option.seconds(options, "read_timeout", 60),
        )


def _host_and_port(place: str) -> tuple[str, int | None]:
    host, colon, number = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, number = place, ""
    if not _HOST.fullmatch(host):
        raise BadAddress("no host that can be used is named", hint=f"Write it as `{_FORM}`")
    if not number:
        return host, None
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65536):
        raise BadAddress(f"{number!r} is no port", hint=f"Write it as `{_FORM}`")
    return host, int(number)


def _folder(path: str) -> str:
    if any(character < " " for character in path):
        raise BadAddress("a remote's folder can't have control characters in its name")
    if path == "/~" or path.startswith("/~/"):
        return os.path.normpath(path[3:] or ".").removeprefix(".")
    return os.path.normpath("/" + path.lstrip("/"))


def _path(options: Mapping[str, str], name: str) -> str | None:
    """An option as an absolute path of this machine, None where it isn't set."""
    text = options.get(name)
    if not text:
        return None
    path = os.path.expanduser(text)
    # OpenSSH expands % and $ in some of its settings, and splits others at spaces and quotes.
    if not path.startswith("/") or re.search(r"[%$\"\x00-\x1f]", path):
        raise BadAddress(
            f"option {name} must be the absolute path of a file, not {text!r}",
            hint='It may begin with `~/`, and must not hold %, $ or "',
        )
    return path
