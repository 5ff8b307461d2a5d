"""Where a repository is cloned from: the addresses of its Git remotes, as names for it.

One repository has several: `git@host:a/b.git` is `https://host/a/b`. They are brought to one form,
host and path, which holds no user name, password or port.
"""

import os
import re

from pivot.git.errors import git_errors
from pivot.git.repository import Repository

# Passwords may hold any sign, those that should be written otherwise among them.
_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/]*@|[^/@:]*:(?!\d*/).*@)?"
    r"(?P<host>\[[^\]]*\]|[^/:@]*)(?::\d*)?(?P<path>/[^?#]*).*"
)
_SCP = re.compile(r"(?:[^/@:]*@)?(?P<host>\[[^\]]*\]|[^/:@]+):(?P<path>.*)")


def addresses(repository: Repository) -> dict[str, str]:
    """The addresses of a repository's Git remotes by their names, in the order of its file."""
    with git_errors("Git's remotes can't be read"):
        found = {remote.name: remote.url for remote in repository.raw.remotes}
    return {name: url for name, url in found.items() if name and url}


def host_and_path(address: str) -> str | None:
    """An address as `host/path`; None for a folder of this machine."""
    match = _URL.fullmatch(address) or _SCP.fullmatch(address)
    if match is None or not match["host"] or os.path.exists(address):
        return None
    path = match["path"].strip("/").removesuffix(".git").rstrip("/")
    return f"{match['host'].lower()}/{path}"


def folder_of(address: str) -> str:
    """The absolute folder that a local address means; `file://` is one too."""
    return os.path.realpath(address.removeprefix("file://"))


def common_folder(repository: Repository) -> str:
    """The folder that all work trees of a repository share: its `.git`."""
    folder = repository.raw.path
    try:
        with open(os.path.join(folder, "commondir"), encoding="utf-8") as f:
            folder = os.path.join(folder, f.read().strip())
    except FileNotFoundError:
        pass
    return os.path.realpath(folder)
