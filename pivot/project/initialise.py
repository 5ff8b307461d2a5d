"""Making a folder a project."""

import os
from dataclasses import dataclass

from pivot.errors import NoProjectError, UsageError
from pivot.files import write_atomic
from pivot.git.attributes import START as ATTRIBUTES_START
from pivot.git.attributes import write_attributes
from pivot.git.ignore import START as IGNORE_START
from pivot.git.ignore import write_ignore, write_private_ignore
from pivot.git.repository import Repository
from pivot.project.layout import Layout

_CONFIG = """\
# Settings of this project, shared through Git. `pivot config list` shows all of them.
"""


@dataclass(frozen=True, slots=True)
class Initialised:
    """A project that was made: the files that are new or changed, relative to its root."""

    root: str
    changed: tuple[str, ...]


def initialise(directory: str, *, git: bool) -> Initialised:
    """Make `directory` the root of a project; what is there already stays as it is.

    Raises `NoProjectError` outside of a Git repository, unless `git` is false or it is a project
    that goes without already.
    """
    layout = Layout(os.path.realpath(directory))
    in_git = git and Repository.discover(layout.root) is not None
    if git and not in_git and not os.path.exists(layout.config):
        raise NoProjectError(
            f"{layout.root} is in no Git repository",
            why="Pivot keeps locks and metrics in Git",
            hint="Run `git init` first, or go without: `pivot init --no-git`",
        )
    if os.path.lexists(layout.folder) and (
        os.path.islink(layout.folder) or not os.path.isdir(layout.folder)
    ):
        raise UsageError(
            f"{layout.folder} is a link or a file",
            why="a project's folder must be its own",
            hint=f"Move it away: `mv {layout.folder} {layout.folder}.old`",
        )
    os.makedirs(layout.locks, exist_ok=True)
    changed = []
    if not os.path.exists(layout.config):
        write_atomic(layout.config, _CONFIG.encode())
        changed.append(".pivot/config.toml")
    if in_git:
        if write_private_ignore(layout.root):
            changed.append(".pivot/.gitignore")
        if not _mentions(layout.root, ".gitignore", IGNORE_START):
            write_ignore(layout.root, ())
            changed.append(".gitignore")
        if not _mentions(layout.root, ".gitattributes", ATTRIBUTES_START):
            write_attributes(layout.root, ())
            changed.append(".gitattributes")
    return Initialised(layout.root, tuple(changed))


def _mentions(root: str, name: str, marker: str) -> bool:
    """Whether a file has a managed block already; an existing one keeps what it lists."""
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
            return marker in f.read()
    except FileNotFoundError:
        return False
