"""Targets as people write them in the folder that they are in."""

import os
from collections.abc import Iterable

_FROM_HERE = ("./", "../", "/")


def from_here(root: str, targets: Iterable[str]) -> tuple[str, ...]:
    """Targets named from the project's root, which lies at the absolute path `root`.

    So are plain ones. What begins with `.` or `/` is a place as the shell knows it.
    """
    return tuple(_from_root(root, target) for target in targets)


def _from_root(root: str, target: str) -> str:
    if target in (".", "..") or target.startswith(_FROM_HERE):
        found = os.path.relpath(os.path.join(os.path.realpath(os.curdir), target), root)
        if found != os.pardir and not found.startswith(os.pardir + os.sep):
            return found
    return target  # also what lies outside, which is told as it was written
