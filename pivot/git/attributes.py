"""`.gitattributes`: files that Git must not rewrite, and how locks are merged."""

import os
import re
from collections.abc import Iterable

from pivot.git.block import replace_block
from pivot.git.rewrite import rewrite
from pivot.paths import RepoPath

START = "# >>> pivot attributes (managed) >>>"
END = "# <<< pivot attributes (managed) <<<"

LOCKS = "/.pivot/stages/**/*.lock -text merge=pivot"
TRACKED = "*.pvt -text"

_SPECIAL = re.compile(r"[\\*?\[]")


def update_attributes_block(text: str, metrics: Iterable[RepoPath]) -> str:
    """The project's `.gitattributes` with the managed block for locks, `.pvt` files and metrics.

    All are known by the hash of their bytes, so line ends are never converted. Doing it again
    changes nothing.
    """
    named = (f"{attribute_pattern(path)} -text" for path in sorted(set(metrics)))
    lines = [LOCKS, TRACKED, *named]
    return replace_block(text, start=START, end=END, lines=lines)


def attribute_pattern(path: RepoPath) -> str:
    """A pattern of `.gitattributes` that matches just `path`. Source: gitattributes(5).

    With spaces or quotes in it, it stands in C-style quotes.
    """
    pattern = "/" + _SPECIAL.sub(lambda found: "\\" + found[0], path)
    if re.search(r'[\s"]', pattern):
        return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return pattern


def write_attributes(root: str, metrics: Iterable[RepoPath]) -> bool:
    """Bring `<root>/.gitattributes` up to date with these metrics; whether it changed."""
    path = os.path.join(root, ".gitattributes")
    return rewrite(path, lambda text: update_attributes_block(text, metrics))
