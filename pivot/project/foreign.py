"""Local settings count as this machine's own, so a repository must not bring them.

An address or a cache folder from `.pivot/config.local.toml` is used without being confirmed; a
file of that name that Git tracks could send data and credentials anywhere.
"""

import os
from collections.abc import Callable

from pivot.config import Config, config_paths
from pivot.errors import DeniedError
from pivot.files import lstat
from pivot.settings import Source
from pivot.state import State

_CHECKED = "config:local"
_LEADING = frozenset({"cache.dir", "remote.schemes"})


def refuse_foreign(config: Config, root: str, state: State, tracked: Callable[[str], bool]) -> None:
    """Raise `DeniedError` if Git tracks local settings that say where data goes.

    Git is asked once for each state of the file: a clone, pull or checkout leaves another one.
    """
    local = config.layers.get(Source.LOCAL, {})
    if not any(name in _LEADING or name.startswith("remotes.") for name in local):
        return
    path = config_paths(root)[Source.LOCAL]
    _refuse_submodule(os.path.dirname(path), root)
    seen = repr(lstat(path)).encode()
    if state.document(_CHECKED) == seen:
        return
    if tracked(path):
        name = os.path.relpath(path, root)
        raise DeniedError(
            f"{name} is tracked by Git",
            why="it says where data goes, which a repository must not decide",
            hint=f"If you want it, take it out of Git with `git rm --cached {name} && git commit`",
        )
    state.record_document(_CHECKED, seen)


def _refuse_submodule(folder: str, root: str) -> None:
    """What a submodule brings is no file of the repository around it, so Git would say no."""
    if os.path.lexists(os.path.join(folder, ".git")):
        name = os.path.relpath(folder, root)
        raise DeniedError(
            f"{name} is a Git repository of its own, and brings local settings",
            why="they say where data goes, which a repository must not decide",
            hint=f"Make {name} a plain folder, or take `config.local.toml` out of it",
        )
