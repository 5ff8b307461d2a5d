"""Pivot runs in the project's own environment, whose packages it fingerprints."""

import os
import sys
from collections.abc import Iterator, Mapping

from pivot.errors import UsageError

MARKER = "pyvenv.cfg"


def other_environment(root: str, environ: Mapping[str, str]) -> str | None:
    """The environment that is active, or lies in the project, if Pivot runs in another one."""
    for place in _candidates(root, environ):
        if os.path.exists(os.path.join(place, MARKER)) and not _is_ours(place):
            return place
    return None


def refuse_other_environment(root: str, environ: Mapping[str, str]) -> None:
    """Raise `UsageError` if stages would run with other packages than the project's."""
    place = other_environment(root, environ)
    if place is not None:
        raise UsageError(
            f"Pivot runs in {sys.prefix}, but this project's environment is {place}",
            why="stages would run with other packages than those of the project",
            hint=f"Install Pivot there, `{place}/bin/pip install pivot`, and use that one",
        )


def _candidates(root: str, environ: Mapping[str, str]) -> Iterator[str]:
    active = environ.get("VIRTUAL_ENV")
    if active:
        yield active
    else:
        yield os.path.join(root, ".venv")


def _is_ours(place: str) -> bool:
    return os.path.realpath(place) == os.path.realpath(sys.prefix)
