"""Where a repository is cloned from: the addresses of its Git remotes, as names for it.

One repository has several: `git@host:a/b.git` is `https://host/a/b`. They are brought to one form,
host and path, which holds no user name, password or port.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE, Popen
from typing import Final

# Set by Git for its hooks; they would send the command to another repository or index.
REDIRECTIONS: Final = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}
)
# A line of `git remote -v`; what a partial clone leaves out may stand at its end.
_REMOTE: Final = re.compile(
    r"^(?P<name>[^\t\n]+)\t(?P<url>.+) \(fetch\)(?: \[.*\])?$", re.MULTILINE
)
# Passwords may hold any sign, those that should be written otherwise among them.
_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/]*@|[^/@:]*:(?!\d*/).*@)?"
    r"(?P<host>\[[^\]]*\]|[^/:@]*)(?::\d*)?(?P<path>/[^?#]*).*"
)
_SCP = re.compile(r"(?:[^/@:]*@)?(?P<host>\[[^\]]*\]|[^/:@]+):(?P<path>.*)")


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository on this machine, and where it is cloned from.

    Attributes:
        workdir: the root of the work tree, absolute and without links.
        common: the folder that all its work trees share: its `.git`.
        addresses: of its Git remotes, by their names.
    """

    workdir: str
    common: str
    addresses: Mapping[str, str]


def ask_git(directory: str, environ: Mapping[str, str]) -> Clone | None:
    """The repository around `directory`, as the `git` command tells it.

    None where it tells nothing: without a repository, or without a `git` command. Loading libgit2
    takes ten times as long as asking.
    """
    env = {name: value for name, value in environ.items() if name not in REDIRECTIONS}
    questions = ("rev-parse", "--show-toplevel", "--git-common-dir"), ("remote", "-v")
    try:
        asked = [
            Popen(("git", *q), cwd=directory, env=env, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
            for q in questions
        ]
    except FileNotFoundError:
        return None
    told = [os.fsdecode(process.communicate()[0]) for process in asked]
    folders = told[0].splitlines()
    if any(process.returncode for process in asked) or len(folders) != 2:
        return None
    workdir, common = (os.path.realpath(os.path.join(directory, folder)) for folder in folders)
    return Clone(workdir, common, {m["name"]: m["url"] for m in _REMOTE.finditer(told[1])})


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
