"""What Git ignores: the project's outs, and Pivot's own files below `.pivot/`."""

import os
import re
from collections.abc import Callable, Iterable

from pivot.files import TEMPORARY_PREFIX
from pivot.git.block import block_lines, replace_block
from pivot.git.rewrite import rewrite
from pivot.paths import RepoPath

START = "# >>> pivot outputs (managed) >>>"
END = "# <<< pivot outputs (managed) <<<"

PRIVATE_IGNORE = f"""\
# Written by Pivot. In Git are stages/ (the locks), config.toml and this file.
/cache/
/state.db*
/runs/
/aside/
/tmp/
/config.local.toml
{TEMPORARY_PREFIX}*
"""
"""The whole text of `.pivot/.gitignore`."""

_SPECIAL = re.compile(r"[\\*?\[]| +$")


def update_ignore_block(text: str, paths: Iterable[RepoPath]) -> str:
    """The project's `.gitignore` with exactly `paths` in the managed block, sorted.

    Each pattern matches the file or folder at that path alone; a path is relative to the folder
    of the `.gitignore`. What a crash may leave beside an out is ignored, too. Doing it again
    changes nothing.
    """
    patterns = sorted({f"{TEMPORARY_PREFIX}*", *map(ignore_pattern, paths)})
    return replace_block(text, start=START, end=END, lines=patterns)


def ignore_pattern(path: RepoPath) -> str:
    """A line of `.gitignore` that matches just `path`. Source: gitignore(5)."""
    return "/" + _SPECIAL.sub(lambda found: re.sub(r"(.)", r"\\\1", found[0]), path)


def write_ignore(root: str, paths: Iterable[RepoPath]) -> bool:
    """Bring `<root>/.gitignore` up to date with these outs; whether it changed."""
    return rewrite(os.path.join(root, ".gitignore"), lambda text: update_ignore_block(text, paths))


def add_ignored(root: str, paths: Iterable[RepoPath]) -> bool:
    """Let Git ignore these paths besides what it does already; whether the file changed."""
    patterns = {ignore_pattern(path) for path in paths}
    return _change(root, lambda known: known | patterns)


def drop_ignored(root: str, paths: Iterable[RepoPath]) -> bool:
    """Let Git see these paths again; whether the file changed."""
    patterns = {ignore_pattern(path) for path in paths}
    return _change(root, lambda known: known - patterns)


def _change(root: str, change: Callable[[set[str]], set[str]]) -> bool:
    """Rewrite the managed block from what it has: whoever knows all outs writes all of it."""

    def changed(text: str) -> str:
        known = set(block_lines(text, start=START, end=END))
        lines = sorted({f"{TEMPORARY_PREFIX}*", *change(known)})
        return replace_block(text, start=START, end=END, lines=lines)

    return rewrite(os.path.join(root, ".gitignore"), changed)


def write_private_ignore(root: str) -> bool:
    """Write `<root>/.pivot/.gitignore` (the folder must be there); whether it changed."""
    return rewrite(os.path.join(root, ".pivot", ".gitignore"), lambda _: PRIVATE_IGNORE)
