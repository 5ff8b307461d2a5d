"""Where a repository is cloned from, as libgit2 tells it."""

import os

from pivot.git.addresses import Clone
from pivot.git.errors import git_errors
from pivot.git.repository import Repository


def clone_of(repository: Repository) -> Clone:
    """What `addresses.ask_git` tells of the same repository."""
    with git_errors("Git's remotes can't be read"):
        found = {remote.name: remote.url for remote in repository.raw.remotes}
    addresses = {name: url for name, url in found.items() if name and url}
    return Clone(repository.workdir, _common_folder(repository), addresses)


def _common_folder(repository: Repository) -> str:
    folder = repository.raw.path
    try:
        with open(os.path.join(folder, "commondir"), encoding="utf-8") as f:
            folder = os.path.join(folder, f.read().strip())
    except FileNotFoundError:
        pass
    return os.path.realpath(folder)
